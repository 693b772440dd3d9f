//! What is asked of directories that were written for another tool.
