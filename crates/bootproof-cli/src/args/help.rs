//! What the help teaches beyond the single options.

/// What every exit code asks for, and the variables of the environment.
pub(super) const LONG_HELP: &str = "\
The exit code is the next act:
  0    none: ready (or degraded: a hot query is slower than agreed, said on standard error)
  1    unexpected: report a bug
  2    usage: correct the command or an environment variable
  3    locked by another process: retry
  4    database and program disagree: deploy the right build
  5    a migration failed, the database is unchanged: correct the rows or the migration
  6    integrity or foreign keys failed, the database is unchanged: restore a backup or correct the rows
  7    a restore or revert was refused or failed: a person must look
  8    disk space, permission or input/output: correct the machine
  9    `health` raised an alert: read it
  10   `fleet`: databases failed for different reasons: read them
  130  called off: everything was rolled back

Environment variables; an option overrules its variable:
  BOOTPROOF_DB            the database file
  BOOTPROOF_LOCK_TIMEOUT  seconds
  BOOTPROOF_INTEGRITY     full, sqlite, quick, off
  BOOTPROOF_FOREIGN_KEYS  strict, no-new
  BOOTPROOF_BACKUP        on, off
  BOOTPROOF_TARGET        the newest version to migrate to
  BOOTPROOF_MAINTENANCE   on lets migrations run that wait for permission
  NO_COLOR                anything: no colour
  RUST_LOG                what is logged, such as `bootproof=trace`; overrules -v and -q";

/// One example for each command, without the name of the program.
pub(super) const EXAMPLES: [(&str, &str); 17] = [
    ("boot", "boot --db worklog.db --benchmark --report boot.html"),
    ("fleet", "fleet tenants --deadline 60 --json"),
    ("status", "status --db worklog.db"),
    ("plan", "plan --db worklog.db --json"),
    ("verify", "verify --db worklog.db --integrity quick"),
    ("bench", "bench --db worklog.db"),
    ("backup", "backup --db worklog.db --keep 7"),
    ("backups", "backups --db worklog.db --examine"),
    ("restore", "restore worklog.db.backup-20260210_093000 --db worklog.db"),
    ("revert", "revert --to 0 --db worklog.db"),
    ("health", "health --db worklog.db --config health.toml --prometheus"),
    ("sql", "sql 1"),
    ("check", "check migrations"),
    ("lock", "lock migrations"),
    ("squash", "squash migrations --to 2 --out fresh/002_baseline.sql"),
    ("new", "new add_billing_index"),
    ("completions", "completions bash"),
];
