//! Rows that are not as they should be, a database that is held, many people: what they cost, and whom.

use std::thread;
use std::time::{Duration, Instant};

use worklog_fixture::Fixture;

use crate::support::{Sandbox, Server};

const RANGE: &str = "from=2025-01-01&to=2025-12-31";

/// Nobody can read while somebody writes to a file with a rollback journal and has no room left in memory.
#[test]
fn a_database_that_is_held_costs_each_request_five_seconds_and_no_more() {
    let sandbox = Sandbox::with(&Fixture::new(1_000));
    let server = sandbox.serve();
    let writer = sandbox.open();
    writer.execute_batch("BEGIN EXCLUSIVE").unwrap();
    let begun = Instant::now();
    thread::scope(|scope| {
        let asked: Vec<_> = (1..=8)
            .map(|company| {
                let (server, target) =
                    (&server, format!("/api/dashboard?company_id={company}&email=a@b.example&{RANGE}"));
                scope.spawn(move || (server.get(&target), begun.elapsed()))
            })
            .collect();
        thread::sleep(Duration::from_millis(300));
        // Every connection waits; what needs none is told.
        for path in ["/metrics", "/admin/database"] {
            let asked = Instant::now();
            assert_eq!(server.get(path).status, 200, "{path}");
            assert!(asked.elapsed() < Duration::from_secs(3), "{path}: {:?}", asked.elapsed());
        }
        for asked in asked {
            let (answer, took) = asked.join().unwrap();
            assert_eq!((answer.status, answer.header("retry-after")), (503, Some("5")), "{}", answer.body);
            // They wait beside one another, not one after the other.
            assert!(took < Duration::from_secs(9), "{took:?}");
        }
    });
    writer.execute_batch("ROLLBACK").unwrap();
    assert_eq!(server.get("/").status, 200);
}

#[test]
fn a_row_that_cannot_be_read_is_told_by_its_column_and_hidden_from_nobody_else() {
    let sandbox = Sandbox::with(&Fixture::new(2_000));
    let connection = sandbox.open();
    let count = |sql: &str| connection.execute(sql, []).unwrap();
    // One company's name and one address are no text; another company's entry has half a second.
    assert_eq!(count("UPDATE companies SET name = x'ff00' WHERE id = 2"), 1);
    assert_eq!(
        count(
            "UPDATE worklogs SET author_email = x'ff' WHERE id = (SELECT max(id) FROM worklogs WHERE company_id = 2)"
        ),
        1
    );
    assert_eq!(
        count(
            "UPDATE worklogs SET time_spent_seconds = 0.5 WHERE id = (SELECT max(id) FROM worklogs WHERE company_id = 3)"
        ),
        1
    );
    drop(connection);
    let server = sandbox.serve();
    for path in ["/", "/sync"] {
        let page = server.get(&format!("{path}?company_id=1&{RANGE}"));
        assert_eq!(page.status, 200, "{path}: {}", page.body);
        assert!(page.body.contains("Number 2</option>"), "it can be chosen all the same");
    }
    assert_eq!(server.get("/api/dashboard").status, 200);
    for (company, column) in [(2, "`author_email`"), (3, "`time_spent_seconds`")] {
        let answer = server.get(&format!("/api/dashboard?company_id={company}&{RANGE}"));
        let said = answer.json()["error"].as_str().unwrap().to_owned();
        assert!(answer.status == 500 && said.contains("`company_month`") && said.contains(column), "{said}");
        assert!(server.get(&format!("/?company_id={company}&{RANGE}")).body.contains(column), "people are told, too");
    }
    // What can be read of them is.
    let somebody: String = sandbox
        .open()
        .query_row("SELECT min(author_email) FROM worklogs WHERE company_id = 2", [], |row| row.get(0))
        .unwrap();
    assert_eq!(server.get(&format!("/?company_id=2&email={somebody}&{RANGE}")).status, 200);
}

#[test]
fn everybody_is_found_however_many_there_are() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    sandbox
        .open()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2500)
             INSERT INTO worklogs(id, issue_key, author_email, time_spent_seconds, started, jira_instance, data, company_id)
             SELECT 'many-' || i, 'A-1', format('p%05d@b.example', i), 60, '2025-06-10T09:00:00', 'Main', '{}', 1 FROM n;
             UPDATE worklogs SET author_email = 'Zoe.Last@B.example' WHERE id IN ('many-1', 'many-2');
             UPDATE worklogs SET author_email = 'zoe.LAST@b.example' WHERE id = 'many-3';
             UPDATE worklogs SET author_email = printf('a%0400d', 1) WHERE id = 'many-4'",
        )
        .unwrap();
    let server = sandbox.serve();
    let body = server.get(&format!("/api/dashboard?company_id=1&email=zoe.last@b.EXAMPLE&{RANGE}")).json();
    assert_eq!(body["count"], 3, "{body}");
    let all = server.get(&format!("/api/dashboard?company_id=1&{RANGE}")).json();
    assert!(all["authors"].as_object().unwrap().len() > 2_400);
    let page = server.get(&format!("/?company_id=1&{RANGE}")).body;
    assert!(page.contains("The 500 of 2,"), "a page is no list of thousands");
    assert!(page.matches("@b.example</a>").count() <= 500, "{}", page.matches("@b.example</a>").count());
}

/// What is shown of one person is bounded, and so is what is kept for it.
#[cfg(target_os = "linux")]
#[test]
fn a_year_of_one_person_is_not_kept_in_memory() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    sandbox
        .open()
        .execute_batch(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 100000)
             INSERT INTO worklogs(id, issue_key, issue_summary, author_email, time_spent_seconds, started, jira_instance, data, company_id)
             SELECT 'many-' || i, 'A-' || i, hex(zeroblob(200)), 'busy@b.example', 60,
                    format('2025-06-%02dT09:%02d:00', 1 + i % 30, i % 60), 'Main', '{}', 1 FROM n",
        )
        .unwrap();
    let server = sandbox.serve();
    let most = |server: &Server| -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", server.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    };
    // What the boot needed is behind it.
    std::fs::write(format!("/proc/{}/clear_refs", server.child.id()), "5").unwrap();
    assert_eq!(server.get(&format!("/api/dashboard?company_id=1&email=nobody@b.example&{RANGE}")).json()["count"], 0);
    let before = most(&server);
    let body = server.get(&format!("/api/dashboard?company_id=1&email=busy@b.example&{RANGE}")).json();
    assert_eq!((&body["count"], body["worklogs"].as_array().unwrap().len()), (&100_000.into(), 500));
    let grown = most(&server) - before;
    assert!(grown < 48_000, "{grown} kB for 500 worklogs");
}
