//! What lies in `deploy/` fits what is exported.

use std::collections::BTreeSet;
use std::time::Duration;

use bootproof_monitor::{Checkup, Monitor};
use saphyr::{LoadableYamlNode as _, Yaml};
use serde_json::Value;
use worklog_schema::{SCHEMA, query};

use crate::page;
use crate::scene::Scene;

const DASHBOARD: &str = include_str!("../../../../deploy/grafana/worklog-database.json");
const ALERTS: &str = include_str!("../../../../deploy/prometheus/alerts.yml");

/// A page with every metric that there is; of the alerts, the rows without a date and the query that is degraded, by
/// a database that has them.
fn exported() -> String {
    let scene = Scene::new();
    let connection = scene.connection();
    connection.execute_batch("UPDATE worklogs SET started = '2025-01-31T09:15:00.000+0100' WHERE rowid = 1").unwrap();
    let (monitor, checkup) = (Monitor::new(&SCHEMA), Checkup::new(&SCHEMA, scene.path()));
    monitor.booted(&scene.report);
    monitor.record(&query::USER_MONTH, Duration::from_millis(1), true);
    checkup.measure_sizes().unwrap();
    monitor.prometheus() + &checkup.prometheus().unwrap()
}

/// The metrics that an expression names.
fn named(expression: &str) -> BTreeSet<String> {
    let words = expression.split(|character: char| !character.is_ascii_alphanumeric() && character != '_');
    words.filter(|word| word.starts_with("bootproof_")).map(str::to_owned).collect()
}

/// The labels that a text names before one of these signs, or behind them.
fn labels<'a>(text: &'a str, before: &'a [&str], behind: &'a [&str]) -> BTreeSet<&'a str> {
    let is_part = |character: char| character.is_ascii_alphanumeric() || character == '_';
    let last = |place: usize| text[..place].trim_end().rsplit(|character| !is_part(character)).next().unwrap();
    let first = |place: usize| text[place..].trim_start().split(|character| !is_part(character)).next().unwrap();
    let named = before.iter().flat_map(|sign| text.match_indices(*sign).map(|(place, _)| last(place)));
    let shown = behind.iter().flat_map(|sign| text.match_indices(*sign).map(|(place, sign)| first(place + sign.len())));
    named.chain(shown).filter(|label| !label.is_empty()).collect()
}

/// Expressions, each with the texts that show its labels.
fn check(expressions: &[(String, String)]) {
    let text = exported();
    let (exported, has) = (page::names(&text), page::labels(&text));
    for (expression, texts) in expressions {
        let named = named(expression);
        assert!(!named.is_empty(), "names no metric of ours: {expression}");
        let unknown: Vec<_> = named.difference(&exported).collect();
        assert!(unknown.is_empty(), "{unknown:?} in: {expression}");
        let braces = |open, close| expression.matches(open).count() == expression.matches(close).count();
        assert!(braces('(', ')') && braces('{', '}') && braces('[', ']'), "{expression}");
        // Prometheus itself says where each series comes from.
        let mut has: BTreeSet<_> =
            named.iter().filter_map(|name| has.get(name)).flatten().map(String::as_str).collect();
        has.extend(["instance", "job"]);
        let mut asked = labels(expression, &["=\"", "=~\"", "!=\""], &["by (", "ignoring(", "on("]);
        asked.extend(labels(texts, &[], &["{{", "$labels."]));
        let unknown: Vec<_> =
            asked.iter().filter(|label| !["value", "labels"].contains(label) && !has.contains(*label)).collect();
        assert!(unknown.is_empty(), "{unknown:?} are no labels of {named:?}: {expression} {texts}");
    }
}

#[test]
fn every_metric_of_the_dashboard_is_exported() {
    let dashboard: Value = serde_json::from_str(DASHBOARD).unwrap();
    let mut expressions = Vec::new();
    let panels = dashboard["panels"].as_array().unwrap();
    let (mut ids, mut titles) = (BTreeSet::new(), BTreeSet::new());
    for panel in panels {
        assert!(ids.insert(panel["id"].as_u64().unwrap()) && titles.insert(panel["title"].as_str().unwrap()));
        let place = |key: &str| panel["gridPos"][key].as_u64().unwrap();
        assert!(place("x") + place("w") <= 24 && place("h") > 0, "{panel}");
        if panel["type"] == "row" {
            continue;
        }
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        assert!(panel["description"].as_str().unwrap().len() > 10, "{panel}");
        let targets = panel["targets"].as_array().unwrap();
        let text = |target: &Value, key: &str| target[key].as_str().unwrap_or_default().to_owned();
        expressions.extend(targets.iter().map(|target| (text(target, "expr"), text(target, "legendFormat"))));
    }
    assert!(expressions.len() >= 12, "{}", expressions.len());
    check(&expressions);
    let variables = dashboard["templating"]["list"].as_array().unwrap();
    let names: Vec<_> = variables.iter().map(|variable| variable["name"].as_str().unwrap()).collect();
    assert_eq!(names, ["datasource", "instance"]);
}

#[test]
fn every_metric_of_the_alert_rules_is_exported() {
    let documents = Yaml::load_from_str(ALERTS).unwrap();
    let [document] = documents.as_slice() else { panic!("one document") };
    let text = |node: &Yaml<'_>, key: &str| node.as_mapping_get(key).and_then(|node| node.as_str().map(str::to_owned));
    let mut expressions = Vec::new();
    let mut names = BTreeSet::new();
    for group in document.as_mapping_get("groups").unwrap().as_sequence().unwrap() {
        for rule in group.as_mapping_get("rules").unwrap().as_sequence().unwrap() {
            let name = text(rule, "alert").unwrap();
            assert!(names.insert(name.clone()), "{name} twice");
            let severity = text(rule.as_mapping_get("labels").unwrap(), "severity").unwrap();
            assert!(["critical", "warning"].contains(&severity.as_str()), "{name}: {severity}");
            let annotations = rule.as_mapping_get("annotations").unwrap();
            let said = ["summary", "description"].map(|key| text(annotations, key).unwrap_or_default());
            assert!(said.iter().all(|text| !text.is_empty()), "{name} lacks words");
            expressions.push((text(rule, "expr").unwrap(), said.concat()));
        }
    }
    assert!(names.len() >= 8, "{names:?}");
    check(&expressions);
}
