//! `docs/lints.md` has every rule, and its examples are what it says of them.

#![allow(clippy::unwrap_used, clippy::panic, reason = "helpers of tests, too, fail by panicking")]

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use bootproof_build::{Allowed, Diagnostics, RULES, Rule, check};

const PAGE: &str = include_str!("../../../docs/lints.md");

/// Rules that no text in a page could break.
const WITHOUT_EXAMPLE: [&str; 5] = ["invalid-utf-8", "nul-byte", "rehearsal", "stub-function", "unreadable"];

/// The rules of the page, with what stands below each name.
fn sections() -> Vec<(&'static str, &'static str)> {
    let sections = PAGE.split("\n## ").skip(1);
    sections.map(|section| section.split("\n# ").next().unwrap().split_once('\n').unwrap()).collect()
}

/// What the page says first of a rule.
fn headline(rule: &Rule) -> String {
    let allowed = match rule.allowed {
        Allowed::InMigration => "; can be allowed in the migration",
        Allowed::InContract => "; can be allowed in the query contract",
        _ => "",
    };
    format!("*{}{allowed}*: {}\n", rule.severity.name(), rule.summary)
}

/// The example below `Bad:` or `Good:`.
fn example<'a>(section: &'a str, kind: &str) -> Option<&'a str> {
    let (_, block) = section.split_once(&format!("\n{kind}:\n\n```sql\n"))?;
    Some(block.split_once("```").unwrap().0)
}

/// Writes the files of an example and compiles them.
fn compile(example: &str) -> Vec<String> {
    let directory = tempfile::tempdir().unwrap();
    let mut files: Vec<(&str, String)> = Vec::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix("-- migrations/") {
            files.push((name, String::new()));
            continue;
        }
        if files.is_empty() {
            files.push(("001_example.sql", String::new()));
        }
        let (_, text) = files.last_mut().unwrap();
        text.push_str(line);
        text.push('\n');
    }
    let known: Vec<(String, String)> = files.iter().map(|(name, text)| ((*name).to_owned(), text.clone())).collect();
    for (name, text) in &files {
        let text = if *name == "migrations.lock" { with_checksums(text, &known) } else { text.clone() };
        let path = directory.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    rules(directory.path())
}

/// `CHECKSUM` in a lock file stands for that of the file.
fn with_checksums(lock: &str, files: &[(String, String)]) -> String {
    let line = |line: &str| {
        let Some((version, rest)) = line.split_once(" CHECKSUM ") else { return line.to_owned() };
        let text = files.iter().find(|(name, _)| name == rest).map_or("", |(_, text)| text);
        let name = rest.split_once('_').unwrap().1.trim_end_matches(".sql");
        let checksum = bootproof_catalog::source::checksum(version.parse().unwrap(), name, text);
        format!("{version} {checksum:016x} {rest}")
    };
    lock.lines().map(line).collect::<Vec<_>>().join("\n")
}

fn rules(directory: &Path) -> Vec<String> {
    let named = |diagnostics: &Diagnostics| diagnostics.iter().map(|found| found.rule().to_owned()).collect();
    match check(directory) {
        Ok(compilation) => named(compilation.warnings()),
        Err(diagnostics) => named(&diagnostics),
    }
}

#[test]
fn the_page_has_exactly_the_rules() {
    let pages: BTreeSet<_> = sections().into_iter().map(|(name, _)| name).collect();
    assert_eq!(pages.len(), sections().len(), "a rule stands there twice");
    assert_eq!(pages, RULES.iter().map(|rule| rule.name).collect());
    for (name, section) in sections() {
        let rule = RULES.iter().find(|rule| rule.name == name).unwrap();
        assert!(section.starts_with(&format!("\n{}", headline(rule))), "{name} begins otherwise: {}", headline(rule));
    }
}

#[test]
fn every_bad_example_breaks_its_rule_and_every_good_one_none() {
    let mut wrong = Vec::new();
    for (name, section) in sections() {
        let (bad, good) = (example(section, "Bad"), example(section, "Good"));
        assert_eq!(bad.is_none(), WITHOUT_EXAMPLE.contains(&name), "{name}");
        assert_eq!(bad.is_some(), good.is_some(), "{name}");
        let (Some(bad), Some(good)) = (bad, good) else { continue };
        let found: BTreeSet<_> = compile(bad).into_iter().collect();
        if found != [name.to_owned()].into() {
            wrong.push(format!("the bad example of {name} breaks {found:?}"));
        }
        let found = compile(good);
        if !found.is_empty() {
            wrong.push(format!("the good example of {name} breaks {found:?}"));
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
