//! Reads what Prometheus reads, as strictly as it may be written.

use std::collections::{BTreeMap, BTreeSet};

/// Every series of a page with its value; panics at what is no page.
pub(crate) fn read(text: &str) -> BTreeMap<String, f64> {
    let (mut series, mut families) = (BTreeMap::new(), BTreeSet::new());
    let mut family = String::new();
    let mut lines = text.lines();
    while let Some(line) = lines.next() {
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, words) = help.split_once(' ').unwrap();
            assert!(!words.is_empty() && families.insert(name.to_owned()), "{name} twice, or without help");
            let kind = lines.next().unwrap().strip_prefix(&format!("# TYPE {name} ")).unwrap();
            assert!(["gauge", "counter", "summary"].contains(&kind), "{kind}");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            name.clone_into(&mut family);
            continue;
        }
        let (name, value) = line.rsplit_once(' ').unwrap();
        let bare = name.split('{').next().unwrap();
        let of = bare.strip_suffix("_sum").or_else(|| bare.strip_suffix("_count")).unwrap_or(bare);
        assert!(bare == family || of == family, "{bare} under {family}");
        assert!(bare.starts_with("bootproof_") && bare.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'));
        assert!(series.insert(name.to_owned(), value.parse().unwrap()).is_none(), "{name} twice");
    }
    series
}

/// The names of the metrics of a page, those of a summary's sum and count included.
pub(crate) fn names(text: &str) -> BTreeSet<String> {
    read(text).into_keys().map(|series| series.split('{').next().unwrap().to_owned()).collect()
}

/// The labels of every metric of a page.
pub(crate) fn labels(text: &str) -> BTreeMap<String, BTreeSet<String>> {
    let mut labels: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for series in read(text).into_keys() {
        let Some((name, mut rest)) = series.split_once('{') else { continue };
        while let Some((label, value)) = rest.split_once("=\"") {
            labels.entry(name.to_owned()).or_default().insert(label.trim_start_matches(',').to_owned());
            let ends = |(place, _): &(usize, &str)| !value[..*place].replace("\\\\", "").ends_with('\\');
            let (end, _) = value.match_indices('"').find(ends).unwrap();
            rest = &value[end + 1..];
        }
    }
    labels
}
