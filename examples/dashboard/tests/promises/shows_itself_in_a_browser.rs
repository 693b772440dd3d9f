//! The pages in a real browser, driven by the WebDriver protocol (<https://www.w3.org/TR/webdriver2/>): a few JSON calls.
//!
//! Skipped, with a line that says so, where there is no `chromedriver` with its browser.

use std::io::{BufRead as _, BufReader};
use std::process::{Child, Command, Stdio};

use serde_json::{Value, json};
use worklog_fixture::Fixture;

use crate::support::{Sandbox, try_request};

/// A browser without a window.
struct Browser {
    driver: Child,
    address: String,
    session: String,
}

impl Browser {
    /// `None` where there is none.
    fn start() -> Option<Self> {
        let driver = Command::new("chromedriver").arg("--port=0").stdout(Stdio::piped()).stderr(Stdio::null()).spawn();
        let mut driver = driver
            .inspect_err(|error| {
                eprintln!("skipped: the pages are not tested in a browser, since there is no chromedriver ({error})");
            })
            .ok()?;
        let lines = BufReader::new(driver.stdout.take().unwrap()).lines();
        // "ChromeDriver was started successfully on port 12345."
        let port = lines.map_while(Result::ok).find_map(|line| {
            line.split_once("successfully on port ").map(|(_, port)| port.trim_end_matches('.').to_owned())
        });
        let port = port.filter(|port| port.parse::<u16>().is_ok())?;
        let mut browser = Self { driver, address: format!("127.0.0.1:{port}"), session: String::new() };
        // Everything in it is a page of ours, on loopback: in containers its sandbox does not start.
        let arguments = [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--window-size=1280,1000",
            // It asks nobody else for anything.
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-quic",
        ];
        let wanted = json!({ "capabilities": { "alwaysMatch": {
            "goog:chromeOptions": { "args": arguments }, "goog:loggingPrefs": { "browser": "ALL" }
        } } });
        let begun = browser.try_call("POST", "/session", &wanted);
        if let Ok(Some(session)) = begun.as_ref().map(|value| value["sessionId"].as_str()) {
            browser.session = format!("/session/{session}");
        } else {
            eprintln!("skipped: the pages are not tested in a browser, since none starts ({begun:?})");
            return None;
        }
        Some(browser)
    }

    fn try_call(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let body = if method == "GET" { String::new() } else { body.to_string() };
        let answer = try_request(&self.address, method, &format!("{}{path}", self.session), &body);
        let answer = answer.map_err(|error| error.to_string())?;
        if answer.status == 200 { Ok(answer.json()["value"].clone()) } else { Err(answer.body) }
    }

    fn call(&self, method: &str, path: &str, body: &Value) -> Value {
        self.try_call(method, path, body).unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    fn open(&self, url: &str) {
        self.call("POST", "/url", &json!({ "url": url }));
    }

    fn run(&self, script: &str) -> Value {
        self.call("POST", "/execute/sync", &json!({ "script": script, "args": [] }))
    }

    fn chrome(&self, command: &str, parameters: &Value) {
        self.call("POST", "/goog/cdp/execute", &json!({ "cmd": command, "params": parameters }));
    }

    fn find(&self, selector: &str) -> String {
        let found = self.call("POST", "/element", &json!({ "using": "css selector", "value": selector }));
        found.as_object().unwrap().values().next().unwrap().as_str().unwrap().to_owned()
    }

    fn click(&self, selector: &str) {
        self.call("POST", &format!("/element/{}/click", self.find(selector)), &json!({}));
    }

    fn write(&self, selector: &str, text: &str) {
        self.call("POST", &format!("/element/{}/value", self.find(selector)), &json!({ "text": text }));
    }

    /// Until a script says true: pages take a moment.
    fn wait(&self, script: &str) {
        for _ in 0..200 {
            // Between two pages there is none.
            if self.try_call("POST", "/execute/sync", &json!({ "script": script, "args": [] })) == Ok(json!(true)) {
                return;
            }
            std::thread::sleep(std::time::Duration::from_millis(50));
        }
        panic!("not within 10 s: {script}\n{}", self.run("return document.body.innerText"));
    }

    /// What the browser complains of: scripts that fail, files that are refused.
    fn complaints(&self) -> Vec<Value> {
        let log = self.call("POST", "/se/log", &json!({ "type": "browser" }));
        log.as_array().unwrap().clone()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        if !self.session.is_empty() {
            let _ = self.try_call("DELETE", "", &json!({}));
        }
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

/// The text and the ground of everything that has text of its own, by the WCAG's measure of contrast
/// (<https://www.w3.org/TR/WCAG22/#contrast-minimum>): those below 4.5.
const LOW_CONTRAST: &str = r#"
  const channel = (value) => { value /= 255; return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4; };
  const luminance = ([r, g, b]) => 0.2126 * channel(r) + 0.7152 * channel(g) + 0.0722 * channel(b);
  const numbers = (color) => color.match(/[\d.]+/g).map(Number);
  const ground = (element) => {
    for (; element; element = element.parentElement) {
      const color = numbers(getComputedStyle(element).backgroundColor);
      if (color.length < 4 || color[3] > 0) return color;
    }
    return [255, 255, 255];
  };
  const low = [];
  for (const element of document.body.querySelectorAll("*")) {
    const has_text = [...element.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    const box = element.getBoundingClientRect();
    if (!has_text || box.width < 2 || element.closest("option, datalist, script, title, desc")) continue;
    const style = getComputedStyle(element);
    const text = numbers(element.closest("svg") ? style.fill : style.color);
    const [one, other] = [luminance(text), luminance(ground(element))].sort((a, b) => b - a);
    const contrast = (one + 0.05) / (other + 0.05);
    if (contrast < 4.5) low.push(`${contrast.toFixed(2)}: ${element.tagName} ${element.textContent.trim().slice(0, 40)}`);
  }
  return low;
"#;

/// What a page needs for those who do not see it, and does not have.
const MISSING: &str = r#"
  const missing = [];
  const need = (what, holds) => { if (!holds) missing.push(what); };
  need("lang", document.documentElement.lang === "en");
  need("title", document.title.length > 10);
  need("one h1", document.querySelectorAll("h1").length === 1);
  need("one main", document.querySelectorAll("main").length === 1);
  for (const field of document.querySelectorAll("input, select"))
    need(`label of ${field.name || field.type}`, field.labels.length > 0 || field.getAttribute("aria-label"));
  for (const table of document.querySelectorAll("table")) {
    need("caption", table.caption);
    need("column headers", table.tHead && [...table.tHead.rows[0].cells].every((cell) => cell.scope === "col" && cell.textContent.trim()));
    need("row headers", [...table.tBodies[0].rows].every((row) => row.querySelector("th[scope=row]")));
  }
  for (const picture of document.querySelectorAll("svg"))
    need("title of a picture", picture.getAttribute("aria-hidden") === "true" || picture.querySelector("title"));
  for (const link of document.querySelectorAll("a")) need("text of a link", link.textContent.trim());
  for (const pane of document.querySelectorAll(".scroll")) need("scrolling by keyboard", pane.tabIndex === 0);
  const names = [...document.querySelectorAll("[id]")].map((element) => element.id);
  need("distinct ids", new Set(names).size === names.length);
  need("no sideways scrolling", document.documentElement.scrollWidth <= innerWidth);
  return missing;
"#;

#[test]
fn the_pages_work_and_can_be_read_by_everybody() {
    let Some(browser) = Browser::start() else { return };
    let sandbox = Sandbox::with(&Fixture::new(5_000));
    let server = sandbox.serve();
    let home = format!("http://{}/", server.address);

    // From the company to a person, by a link in the table.
    browser.open(&home);
    browser.wait("return document.querySelectorAll('.chart .column').length > 10");
    browser.write("input.search", "hugo");
    browser.wait(
        "return [...document.querySelectorAll('table[data-search] tbody tr')].filter((row) => !row.hidden).length < 5",
    );
    browser.click("table[data-search] tbody tr:not([hidden]) a");
    browser.wait("return document.querySelector('#email').value.includes('hugo')");
    browser.wait("return document.querySelector('#entries-title').textContent.includes('hugo')");
    // Another company, by choosing it: the form sends itself.
    browser.open(&home);
    browser.click("#company option[value='2']");
    browser.wait("return location.search.includes('company_id=2')");
    browser.wait("return document.body.innerText.includes('brightwater.example')");
    assert_eq!(browser.run("return document.body.innerText.includes('alderwood.example')"), false);
    // With the keyboard, which steps through the list, by the button.
    browser.open(&home);
    browser.run("document.querySelector('#company').focus()");
    browser.write("#company", "\u{e015}\u{e015}");
    assert_eq!(browser.run("return document.querySelector('#company').value"), "3");
    assert_eq!(browser.run("return location.search"), "", "a step is no choice");
    browser.write("form button", "\u{e007}");
    browser.wait("return location.search.includes('company_id=3')");
    // Back in time, and what is wrong is said.
    browser.open(&format!("{home}?company_id=2"));
    browser.click("a[rel=prev]");
    browser.wait("return location.search.includes('from=2025-11-01')");
    browser.open(&format!("{home}?company_id=2&email=a@b.example&from=2025-02-01&to=2025-01-01"));
    browser.wait("return document.querySelector('[role=alert]').textContent.includes('after')");
    // Nothing that was typed is lost.
    let kept = "return ['company', 'email', 'from', 'to'].map((id) => document.getElementById(id).value)";
    assert_eq!(browser.run(kept), json!(["2", "a@b.example", "2025-02-01", "2025-01-01"]));
    // The complaint about that answer's status is the browser's way; there is no other.
    let complaints = browser.complaints();
    assert!(
        complaints.iter().all(|entry| entry["message"].as_str().unwrap().contains("400 (Bad Request)")),
        "{complaints:?}"
    );

    for path in ["", "?company_id=1&email=hugo.abate@alderwood.example", "sync", "admin/database"] {
        for scheme in ["light", "dark"] {
            for width in [1280, 390] {
                let media = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
                browser.chrome("Emulation.setEmulatedMedia", &media);
                let size = json!({ "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": false });
                browser.chrome("Emulation.setDeviceMetricsOverride", &size);
                browser.open(&format!("{home}{path}"));
                browser.wait("return document.readyState === 'complete'");
                let scene = format!("/{path} {scheme} {width}");
                assert_eq!(browser.run(LOW_CONTRAST), json!([]), "{scene}");
                assert_eq!(browser.run(MISSING), json!([]), "{scene}");
            }
        }
    }
    assert_eq!(browser.complaints(), Vec::<Value>::new());

    // Without JavaScript the same form leads to the same place.
    browser.chrome("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    browser.open(&home);
    browser.click("#company option[value='3']");
    browser.click("form button");
    browser.chrome("Emulation.setScriptExecutionDisabled", &json!({ "value": false }));
    browser
        .wait("return location.search.includes('company_id=3') && document.body.innerText.includes('corvina.example')");
}
