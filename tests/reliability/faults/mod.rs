mod failing_operations;
mod power_cuts;
