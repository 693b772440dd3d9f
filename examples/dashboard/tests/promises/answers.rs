//! It boots on the crate, or does not listen at all; it answers from the proven queries, and never with another company's rows.

use std::collections::BTreeMap;

use worklog_fixture::Fixture;

use crate::support::{REACHED, Sandbox, program, request};

#[test]
fn the_demo_is_a_real_upgrade() {
    let sandbox = Sandbox::empty();
    let demo = || program().args(["--demo", "2000", "--no-serve", "--db"]).arg(&sandbox.database).output().unwrap();
    let output = demo();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}\n{}", String::from_utf8_lossy(&output.stderr));
    assert!(text.contains(&format!("ready at version {REACHED} (was unmanaged)")), "{text}");
    for contract in worklog_schema::COMPILED.contracts {
        assert!(text.contains(contract.name), "{text}");
    }
    let before = std::fs::read(&sandbox.database).unwrap();
    assert_eq!(demo().status.code(), Some(2), "an existing file is not overwritten");
    assert_eq!(std::fs::read(&sandbox.database).unwrap(), before);
}

#[test]
fn it_does_not_listen_when_boot_refuses() {
    let sandbox = Sandbox::empty();
    std::fs::write(&sandbox.database, "no database ".repeat(400)).unwrap();
    let output = sandbox.command().output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert!(stderr.contains("hint: ") && !String::from_utf8_lossy(&output.stdout).contains("http://"), "{stderr}");
}

#[test]
fn what_is_no_address_changes_no_database() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let before = std::fs::read(&sandbox.database).unwrap();
    let output = program().args(["--listen", "localhost", "--db"]).arg(&sandbox.database).output().unwrap();
    assert_eq!(output.status.code(), Some(2), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read(&sandbox.database).unwrap() == before);
}

#[test]
fn it_answers_from_the_proven_queries() {
    let sandbox = Sandbox::with(&Fixture::new(5_000));
    let server = sandbox.serve();
    assert_eq!(server.get("/api/dashboard").status, 200);
    assert_eq!(server.get("/api/sync").status, 200);

    let body = server.get("/api/dashboard?company_id=1&from=2025-03-01&to=2025-03-31").json();
    let (count, hours): (i64, f64) = sandbox
        .open()
        .query_row(
            "SELECT count(*), sum(time_spent_seconds) / 3600.0 FROM worklogs
             WHERE company_id = 1 AND date(started) BETWEEN '2025-03-01' AND '2025-03-31'",
            [],
            |row| Ok((row.get(0)?, row.get(1)?)),
        )
        .unwrap();
    assert!(count > 0);
    assert_eq!(body["count"], count, "{body}");
    assert!((body["hours"].as_f64().unwrap() - hours).abs() < 0.01, "{hours}: {body}");
    let days: f64 = body["days"].as_object().unwrap().values().map(|hours| hours.as_f64().unwrap()).sum();
    assert!((days - hours).abs() < 0.01 * f64::from(31), "{days}, {hours}");
}

/// Every company with every person and every instance of all companies: what is found is what that company has, no more, no
/// less.
#[test]
fn no_company_sees_the_rows_of_another() {
    let sandbox = Sandbox::with(&Fixture::new(3_000));
    let server = sandbox.serve();
    let connection = sandbox.open();
    // The same person and the same instance in two companies: nothing but the company tells their rows apart.
    connection
        .execute_batch(
            "UPDATE worklogs SET author_email = 'shared@example.com', jira_instance = 'Shared'
             WHERE rowid IN (SELECT rowid FROM worklogs WHERE company_id IN (1, 2, 3) ORDER BY started DESC LIMIT 300)",
        )
        .unwrap();
    let range = "from=2025-01-01&to=2025-12-31";
    for (path, parameter, column) in
        [("dashboard", "email", "lower(author_email)"), ("sync", "instance", "jira_instance")]
    {
        let sql = format!(
            "SELECT company_id, {column}, count(*) FROM worklogs
             WHERE date(started) BETWEEN '2025-01-01' AND '2025-12-31' GROUP BY 1, 2"
        );
        let mut statement = connection.prepare(&sql).unwrap();
        let rows = statement.query_map([], |row| Ok(((row.get(0)?, row.get(1)?), row.get(2)?))).unwrap();
        let expected: BTreeMap<(i64, String), i64> = rows.map(Result::unwrap).collect();
        let names: Vec<_> = expected.keys().map(|(_, name)| name.clone()).collect();
        let mut asked = 0;
        for company in 1..=6 {
            for name in &names {
                let value: String = form_urlencoded::byte_serialize(name.as_bytes()).collect();
                let target = format!("/api/{path}?company_id={company}&{parameter}={value}&{range}");
                let answer = server.get(&target);
                let found = answer.json()["count"].as_i64().unwrap();
                assert_eq!(found, expected.get(&(company, name.clone())).copied().unwrap_or_default(), "{target}");
                asked += 1;
            }
        }
        assert!(asked > 60, "{asked}");
    }
    // Nor do pages and lists of suggestions.
    for company in 1..=5 {
        let others = server.get(&format!("/?company_id={company}&{range}")).body;
        for (other, domain) in (1..).zip(["alderwood", "brightwater", "corvina", "dolomia", "elmstead"]) {
            assert_eq!(others.contains(&format!("@{domain}.example")), other == company, "{company}: {domain}");
        }
    }
}

#[test]
fn it_refuses_bad_requests_in_words() {
    let sandbox = Sandbox::with(&Fixture::new(1_000));
    let server = sandbox.serve();
    for (parameters, word) in [
        ("company_id=x", "company_id"),
        ("company_id=", "empty"),
        ("company_id=1&from=2025-02-30&to=2025-03-01", "from"),
        ("company_id=1&from=2025-03-02&to=2025-03-01", "after"),
        ("company_id=1&from=2020-01-01&to=2025-03-01", "366 days"),
        ("company_id=1&from=2025-03-01", "both"),
        ("company_id=1&company_id=2", "twice"),
        ("company=1", "unknown"),
        ("company_id=%31%FF", "UTF-8"),
    ] {
        for path in ["/api/dashboard", "/api/sync"] {
            let answer = server.get(&format!("{path}?{parameters}"));
            assert_eq!(answer.status, 400, "{parameters}: {}", answer.body);
            assert!(answer.json()["error"].as_str().unwrap().contains(word), "{parameters}: {}", answer.body);
        }
        let page = server.get(&format!("/?{parameters}"));
        let is_refused = page.status == 400 && page.body.contains("role=\"alert\"");
        // What a form leaves empty is not asked for.
        assert!(is_refused || parameters == "company_id=", "{parameters}: {}", page.status);
    }
    // A character like any other, although decoders put it in the place of what they cannot read.
    assert_eq!(server.get("/api/sync?company_id=1&&instance=%EF%BF%BD").json()["instance"], "\u{fffd}");
    assert_eq!(server.get("/nowhere").status, 404);
    let refused = request(&server.address, "POST", "/api/sync");
    assert_eq!((refused.status, refused.header("allow")), (405, Some("GET, HEAD")));
}

#[test]
fn a_new_installation_has_pages_too() {
    let sandbox = Sandbox::empty();
    let server = sandbox.serve();
    for path in ["/", "/sync"] {
        let page = server.get(path);
        assert_eq!(page.status, 200);
        assert!(page.body.contains("There are no worklogs yet."), "{}", page.body);
    }
    assert_eq!(server.get("/admin/database").status, 200);
    assert_eq!(server.get("/api/dashboard").status, 404, "nothing to choose defaults from");
}
