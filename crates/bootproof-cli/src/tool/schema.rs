//! `bootproof schema`: what the migrations make.

use bootproof_catalog::there_are;

use super::args::SourceArgs;
use crate::output::Answer;

pub(super) fn run(source: &SourceArgs, at: Option<i64>) -> Answer {
    let compiler = source.compiler();
    let versions = compiler.versions();
    // Without any, what is wrong is the directory.
    if let Some(version) = at.filter(|version| !versions.is_empty() && !versions.contains(version)) {
        let message = format!("error: there is no migration {version}; {}\n", there_are(&versions, version));
        return Answer { message, code: 2, ..Answer::default() };
    }
    let compiler = at.into_iter().fold(compiler, bootproof_build::Compiler::up_to);
    let compilation = match compiler.check() {
        Ok(compilation) => compilation,
        Err(diagnostics) => return Answer { message: diagnostics.to_string(), code: 1, ..Answer::default() },
    };
    let statements: String = compilation.schema().iter().flat_map(|statement| [statement.as_str(), ";\n"]).collect();
    Answer::of_text(statements)
}
