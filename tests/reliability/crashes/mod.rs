mod child;

mod at_every_step;
mod at_random_instants;
mod called_off;
