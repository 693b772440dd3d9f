//! `bootproof schema`: what the migrations make.

use super::args::SourceArgs;
use crate::output::Answer;

pub(super) fn run(source: &SourceArgs, at: Option<i64>) -> Answer {
    let compiler = source.compiler();
    let compiler = at.into_iter().fold(compiler, bootproof_build::Compiler::up_to);
    let compilation = match compiler.check() {
        Ok(compilation) => compilation,
        Err(diagnostics) => return Answer { message: diagnostics.to_string(), code: 1, ..Answer::default() },
    };
    let versions: Vec<_> = compilation.versions().collect();
    if let Some(version) = at.filter(|version| versions.last() != Some(version)) {
        let below: Vec<_> = versions.iter().map(i64::to_string).collect();
        let known =
            if below.is_empty() { "none below it".to_owned() } else { format!("below it {}", below.join(", ")) };
        let message = format!("error: there is no migration {version}; there are {known}\n");
        return Answer { message, code: 2, ..Answer::default() };
    }
    let statements: String = compilation.schema().iter().flat_map(|statement| [statement.as_str(), ";\n"]).collect();
    Answer::of_text(statements)
}
