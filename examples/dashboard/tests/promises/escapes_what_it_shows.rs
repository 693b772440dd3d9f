//! Whatever is in the database or in an address is text: never markup, never a script.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use worklog_fixture::Fixture;

use crate::support::Sandbox;

const HOSTILE: &str = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>";

#[test]
fn nothing_from_outside_is_markup() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let connection = sandbox.open();
    connection.execute("UPDATE companies SET name = ?1 WHERE id = 1", [HOSTILE]).unwrap();
    connection
        .execute(
            "UPDATE worklogs SET issue_key = ?1, issue_summary = ?1, author_display_name = ?1, jira_instance = ?1
             WHERE company_id = 1",
            [HOSTILE],
        )
        .unwrap();
    let address: String = connection
        .query_row("SELECT author_email FROM worklogs WHERE company_id = 1 LIMIT 1", [], |row| row.get(0))
        .unwrap();
    drop(connection);
    let server = sandbox.serve();
    let encoded: String = form_urlencoded::byte_serialize(HOSTILE.as_bytes()).collect();
    let range = "from=2025-01-01&to=2025-12-31";
    for target in [
        format!("/?company_id=1&{range}"),
        format!("/?company_id=1&email={address}&{range}"),
        format!("/?company_id=1&email={encoded}&{range}"),
        format!("/?company_id={encoded}"),
        format!("/?{encoded}={encoded}"),
        format!("/sync?company_id=1&{range}"),
        format!("/sync?company_id=1&instance={encoded}&{range}"),
    ] {
        let page = server.get(&target);
        assert!(!page.body.contains("<script>") && !page.body.contains("<img src=x"), "{target}: {}", page.body);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe-inline"), "{policy}");
        // What the policy would not let work is not there.
        assert!(!page.body.contains(" style=\"") && !page.body.contains(" onclick="), "{target}");
    }
    let shown = server.get(&format!("/?company_id=1&email={address}&{range}")).body;
    assert!(shown.contains("&lt;script&gt;alert(1)"), "it is shown as what it is: {shown}");
}

#[test]
fn pages_need_nothing_from_elsewhere() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let server = sandbox.serve();
    for path in ["/", "/sync", "/admin/database", "/assets/style.css", "/assets/page.js"] {
        let answer = server.get(path);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!answer.body.contains("http://") && !answer.body.contains("https://"), "{path}");
    }
}

/// After an upgrade no page has the style of the program before: a browser asks each time, and is told when there is nothing new.
#[test]
fn what_a_browser_keeps_is_asked_for_again() {
    let sandbox = Sandbox::with(&Fixture::new(500));
    let server = sandbox.serve();
    for path in ["/assets/style.css", "/assets/page.js", "/assets/icon.svg"] {
        let answer = server.get(path);
        assert_eq!(answer.header("cache-control"), Some("no-cache"), "{path}");
        let tag = answer.header("etag").unwrap();
        let ask = |tag: &str| {
            let mut stream = TcpStream::connect(&server.address).unwrap();
            write!(stream, "GET {path} HTTP/1.1\r\nHost: x\r\nIf-None-Match: {tag}\r\nConnection: close\r\n\r\n")
                .unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).unwrap();
            answer
        };
        let known = ask(tag);
        assert!(known.starts_with("HTTP/1.1 304 ") && known.ends_with("\r\n\r\n"), "{known}");
        assert!(ask("\"another\"").starts_with("HTTP/1.1 200 "), "{path}");
    }
}
