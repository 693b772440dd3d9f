-- What the application adds by itself when it starts, once it knows companies.

alter table oauth_users add column role_level INTEGER default 4;
