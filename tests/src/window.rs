//! The native window under test: the real program on a [`Screen`], driven through WebKitWebDriver.
//!
//! ```no_run
//! use punnet_tests::{screen::Screen, window::Window};
//! # fn example(station: &punnet_tests::station::Station) {
//! let mut screen = Screen::new(1280, 800);
//! screen.notifications();                          // only where a test wants them
//! let window = Window::open(&screen, station);     // or `Window::alone(&screen)`: its own engine
//! window.go("#/images");
//! window.click("button.add");
//! window.fill("input[name=code]", "KXP2");
//! assert!(window.text("h1").contains("Images"));
//! window.until("the toast", "return document.querySelector('.toast')?.textContent");
//! window.shot("images-light");                     // tests/artefacts/images-light.png
//! # }
//! ```
//!
//! [`Window::open`] attaches to a daemon (`station` is a [`Station`] that was started, usually
//! [`Station::for_virtual_boards`], which needs no rights); [`Window::alone`] lets the window start its own engine on a
//! fresh data folder. Everything waits for what it needs instead of sleeping. For what is not here,
//! [`Window::client`] is the [`fantoccini`] client and [`Window::wait`] runs its futures.
//!
//! The program is the one that `PUNNET_WINDOW` names, else it is built now; the page must have been
//! built before (`packaging/page/build.sh`). `tests/run.sh window` does both.

use crate::binaries;
use crate::running::Running;
use crate::screen::{Screen, artefact, soon, soon_or};
use crate::station::Station;
use fantoccini::elements::Element;
use fantoccini::key::Key;
use fantoccini::wd::Capabilities;
use fantoccini::{Client, ClientBuilder, Locator};
use serde_json::{Value, json};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;
use tokio::runtime::Runtime;

/// Longest wait for anything that a page should do in a moment.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// The window, open.
pub struct Window {
    client: Option<Client>,
    runtime: Runtime,
    _driver: Running,
}

impl Window {
    /// A window on a daemon that runs.
    pub fn open(screen: &Screen, station: &Station) -> Self {
        let configuration = station.configuration();
        Self::start(screen, &["--config".into(), configuration])
    }

    /// A window with an engine of its own, on a data folder on the screen's scratch folder.
    pub fn alone(screen: &Screen) -> Self {
        Self::start(screen, &["--config".into(), own_configuration(screen)])
    }

    fn start(screen: &Screen, arguments: &[PathBuf]) -> Self {
        let port = free_port();
        let mut driver = screen.command(Path::new("WebKitWebDriver"));
        driver
            .arg(format!("--port={port}"))
            .arg("--host=127.0.0.1")
            .env("TAURI_WEBVIEW_AUTOMATION", "true")
            // Without this renderer the driver waits for ever for a picture of the page.
            .env("WEBKIT_DISABLE_DMABUF_RENDERER", "0")
            .env("RUST_BACKTRACE", "1")
            .stdin(Stdio::null());
        let driver = Running::start(driver);
        soon("the driver", PATIENCE, || {
            TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
        });
        let mut capabilities = Capabilities::new();
        let program = binaries::punnet_window();
        capabilities.insert(
            "webkitgtk:browserOptions".to_owned(),
            json!({"binary": program, "args": arguments}),
        );
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime");
        let address = format!("http://127.0.0.1:{port}");
        let client = runtime
            .block_on(
                ClientBuilder::new(hyper_util::client::legacy::connect::HttpConnector::new())
                    .capabilities(capabilities)
                    .connect(&address),
            )
            .expect("a session with the window");
        Self {
            client: Some(client),
            runtime,
            _driver: driver,
        }
    }

    /// The client, for what is not here.
    pub fn client(&self) -> &Client {
        self.client.as_ref().expect("the window is open")
    }

    /// Runs a future of the client's.
    pub fn wait<T>(&self, work: impl Future<Output = T>) -> T {
        let work = async { tokio::time::timeout(PATIENCE, work).await };
        self.runtime.block_on(work).expect("the driver answers")
    }

    /// The window's title.
    pub fn title(&self) -> String {
        self.wait(self.client().title()).expect("a title")
    }

    /// Goes to a place of the page, e.g. `#/history`.
    pub fn go(&self, place: &str) {
        self.script("location.hash = arguments[0]", vec![json!(place)]);
    }

    /// Runs a script in the page; its result.
    pub fn script(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.wait(self.client().execute(script, arguments))
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Runs a script whose last argument is a function to be called with the result.
    pub fn script_async(&self, script: &str, arguments: Vec<Value>) -> Value {
        self.wait(self.client().execute_async(script, arguments))
            .unwrap_or_else(|e| panic!("{script}: {e}"))
    }

    /// Calls a command of the window as the page does: its result, or what it was refused with.
    ///
    /// # Errors
    /// The refusal, as the page would get it.
    pub fn invoke(&self, command: &str, arguments: Value) -> Result<Value, Value> {
        let script = "const [command, given, done] = arguments; \
             window.__TAURI_INTERNALS__.invoke(command, given).then( \
               (ok) => done({ ok }), (refused) => done({ refused }));";
        let answer = self.script_async(script, vec![json!(command), arguments]);
        match answer.get("refused") {
            Some(refused) => Err(refused.clone()),
            None => Ok(answer["ok"].clone()),
        }
    }

    /// Waits until a script gives something that is neither false, nor null, nor empty.
    pub fn until(&self, what: &str, script: &str) -> Value {
        soon(what, PATIENCE, || {
            Some(self.script(script, Vec::new())).filter(|value| match value {
                Value::Null | Value::Bool(false) => false,
                Value::String(text) => !text.is_empty(),
                _ => true,
            })
        })
    }

    /// Waits until an element is there.
    pub fn find(&self, selector: &str) -> Element {
        let found = self.wait(
            self.client()
                .wait()
                .at_most(PATIENCE)
                .for_element(Locator::Css(selector)),
        );
        found.unwrap_or_else(|e| panic!("{selector}: {e}\n{}", self.page_text()))
    }

    /// True while an element is there.
    pub fn has(&self, selector: &str) -> bool {
        let found = self.wait(self.client().find_all(Locator::Css(selector)));
        found.is_ok_and(|found| !found.is_empty())
    }

    /// The text of an element, as it is shown.
    pub fn text(&self, selector: &str) -> String {
        let element = self.find(selector);
        self.wait(element.text()).unwrap_or_default()
    }

    /// Clicks an element.
    pub fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.wait(element.click())
            .unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Empties a field and types into it.
    pub fn fill(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.wait(async {
            element.clear().await?;
            element.send_keys(text).await
        })
        .unwrap_or_else(|e| panic!("{selector}: {e}"));
    }

    /// Presses the button, or follows the link, that says `text`, once it can be pressed and stands
    /// still: the driver presses a point of the screen, and a form that gives way moves what is below.
    pub fn press_button(&self, text: &str) {
        let path = button(text);
        let element = self.at(&format!("{path}[not(@disabled)]"));
        self.at_rest(&element, text);
        self.wait(element.click())
            .unwrap_or_else(|e| panic!("{text}: {e}\n{}", self.page_text()));
    }

    /// Waits until an element was at the same place in two pictures after each other.
    fn at_rest(&self, element: &Element, text: &str) {
        let script = "const [element, done] = arguments; \
             const place = () => JSON.stringify(element.getBoundingClientRect()); \
             const look = (before) => requestAnimationFrame(() => { \
               const now = place(); \
               now === before ? done(true) : look(now); }); \
             element.scrollIntoView({ block: 'nearest' }); \
             look('');";
        let element = serde_json::to_value(element).expect("an element");
        let still = self.script_async(script, vec![element]);
        assert_eq!(still, Value::Bool(true), "{text} does not stand still");
    }

    /// True while there is a button that says `text` and can be pressed.
    pub fn pressable(&self, text: &str) -> bool {
        let path = format!("{}[not(@disabled)]", button(text));
        let found = self.wait(self.client().find_all(Locator::XPath(&path)));
        found.is_ok_and(|found| !found.is_empty())
    }

    /// Types into the field with this label, in place of what stands there.
    pub fn fill_in(&self, label: &str, text: &str) {
        let element = self.labelled(label);
        self.wait(async {
            element.clear().await?;
            element.send_keys(text).await
        })
        .unwrap_or_else(|e| panic!("{label}: {e}"));
    }

    /// Chooses an entry of the list with this label.
    pub fn choose(&self, label: &str, entry: &str) {
        let element = self.labelled(label);
        self.wait(element.select_by_label(entry))
            .unwrap_or_else(|e| panic!("{label}, {entry}: {e}"));
    }

    /// Ticks, or unticks, the box with this label.
    pub fn tick(&self, label: &str) {
        let element = self.labelled(label);
        self.wait(element.click())
            .unwrap_or_else(|e| panic!("{label}: {e}"));
    }

    /// Waits until an element says `text`, somewhere in it.
    pub fn read(&self, selector: &str, text: &str) {
        let script = "return [...document.querySelectorAll(arguments[0])] \
             .some((found) => found.innerText.includes(arguments[1]))";
        let told = soon_or(PATIENCE, || {
            let said = self.script(script, vec![json!(selector), json!(text)]);
            (said == Value::Bool(true)).then_some(())
        });
        if told.is_none() {
            self.shot("unread");
            panic!("{selector} does not say {text:?}:\n{}", self.page_text());
        }
    }

    /// The control that a label belongs to, beside it or within it.
    fn labelled(&self, label: &str) -> Element {
        let named = format!(
            "//label[normalize-space(.)={0} or span[normalize-space(.)={0}]]",
            quoted(label)
        );
        self.at(&format!("//*[@id={named}/@for] | {named}//input"))
    }

    fn at(&self, path: &str) -> Element {
        let found = self.wait(
            self.client()
                .wait()
                .at_most(PATIENCE)
                .for_element(Locator::XPath(path)),
        );
        found.unwrap_or_else(|e| {
            self.shot("unfound");
            panic!("{path}: {e}\n{}", self.page_text())
        })
    }

    /// Presses keys where the focus is, e.g. `Key::Tab`.
    pub fn press(&self, keys: &[Key]) {
        let keys: String = keys.iter().map(|key| char::from(*key)).collect();
        self.wait(async {
            let focused = self.client().active_element().await?;
            focused.send_keys(&keys).await
        })
        .unwrap_or_else(|e| panic!("{keys:?}: {e}"));
    }

    /// Everything that can be read on the page.
    pub fn page_text(&self) -> String {
        let text = self.script("return document.body?.innerText ?? ''", Vec::new());
        text.as_str().unwrap_or_default().to_owned()
    }

    /// Makes the page this large, in pixels, window borders aside.
    pub fn resize(&self, width: u32, height: u32) {
        self.wait(self.client().set_window_size(width, height))
            .expect("a new size");
    }

    /// Takes a picture of the page into `tests/artefacts`.
    pub fn shot(&self, name: &str) {
        let picture = self.wait(self.client().screenshot()).expect("a picture");
        std::fs::write(artefact(name), picture).expect("the picture is written");
    }

    /// Ends the session, and with it the program.
    pub fn close(mut self) {
        if let Some(client) = self.client.take() {
            // The driver may find that the window was closed before.
            let _ = self.wait(client.close());
        }
    }
}

impl Drop for Window {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let close =
                async { tokio::time::timeout(Duration::from_secs(5), client.close()).await };
            let _ = self.runtime.block_on(close);
        }
    }
}

/// A configuration of a station of its own, beside any other, on the screen's scratch folder.
pub fn own_configuration(screen: &Screen) -> PathBuf {
    let data = screen.scratch().join("station");
    let file = screen.scratch().join("station.toml");
    let text = format!(
        "data_dir = \"{}\"\n[management]\nlisten = \"127.0.0.1:0\"\n",
        data.display()
    );
    std::fs::write(&file, text).expect("the configuration");
    file
}

/// Where a button or a link says `text`.
fn button(text: &str) -> String {
    format!(
        "//*[self::button or self::a][normalize-space(.)={}]",
        quoted(text)
    )
}

/// A text within an XPath, which knows no escapes.
fn quoted(text: &str) -> String {
    assert!(!text.contains('"'), "{text}");
    format!("\"{text}\"")
}

fn free_port() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    listener.local_addr().expect("an address").port()
}
