//! How a command is to answer: the same two ways of saying it everywhere.

use clap::{Args, ValueEnum};

/// How to answer.
#[derive(Clone, Copy, Debug, Default, Args)]
pub(crate) struct AnswerArgs {
    /// Answer with one JSON object on one line
    #[arg(long, global = true, conflicts_with = "format")]
    json: bool,
    /// How to answer; `json` is the same as `--json` [default: text]
    #[arg(long, value_enum, value_name = "FORMAT", global = true)]
    format: Option<AnswerFormat>,
}

/// For whom an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum AnswerFormat {
    /// For people
    Text,
    /// For programs
    Json,
}

impl AnswerArgs {
    /// Whether the answer is for programs.
    pub(crate) fn is_json(self) -> bool {
        self.json || self.format == Some(AnswerFormat::Json)
    }
}
