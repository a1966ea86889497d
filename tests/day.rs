//! A technician's first day in the real window: the guide, an image, names with a mistake in them, a
//! rehearsed batch with a board that fails, a document.

use punnet_tests::running::Running;
use punnet_tests::screen::{PROGRAMS, Screen};
use punnet_tests::station::{Doors, Station};
use punnet_tests::window::Window;
use punnet_tests::{binaries, ground, plan};
use std::process::{Command, Stdio};
use std::time::Duration;
use wire::Stage;

const DRIVER: [&str; 7] = [
    PROGRAMS[0],
    PROGRAMS[1],
    PROGRAMS[2],
    PROGRAMS[3],
    PROGRAMS[4],
    PROGRAMS[5],
    "WebKitWebDriver",
];
/// The card that `tests/run.sh` makes for this: one end of a pair of virtual cards.
const CARD: &str = "boards0";

#[test]
fn the_guide_leads_from_a_bare_station_to_a_batch() {
    let Some(_turn) = ground::desktop("window: the guide", &DRIVER) else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let window = Window::alone(&screen);
    window.read("h1", "Set-up guide");
    window.shot("day-guide");

    if nix::net::if_::if_nametoindex(CARD).is_ok() {
        window.click(&format!("input[type=radio][value={CARD}]"));
        window.press_button(&format!("Use {CARD}"));
        window.read("section.card", &format!("Boards hang on {CARD}."));
        window.press_button("Next step");
        window.read("h2", "Wire check");
        window.read("section.card", "The wire looks clear");
        window.shot("day-wire");
        window.press_button("Next step");
    } else {
        ground::not_run("window: the guide's card", "needs a card of its own");
        window.go("#/setup/image");
    }

    window.read("h2", "Golden image");
    window.fill_in("Code", "kxp2");
    window.fill_in("Name", "Kart display");
    window.press_button("Add a product");
    let image = binaries::small_image();
    window.fill_in("File", "/nowhere/golden.img");
    window.press_button("Import");
    window.read("section.card", "/nowhere/golden.img");
    window.shot("day-image-refused");
    window.fill_in("File", &image.display().to_string());
    window.press_button("Import");
    window.read("section.card", "This is what was found inside");
    window.shot("day-image");
    window.press_button("Next step");
    window.read("h2", "Product");
    window.press_button("Next step");

    window.read("h2", "Venue");
    window.fill_in("Code", "COR");
    window.fill_in("Name", "Corona Raceway");
    window.read(".error", "exactly 4");
    window.fill_in("Code", "coro");
    window.press_button("Add a venue");
    window.read("section.card", "CORO is kept.");
    window.press_button("Next step");

    window.read("h2", "Names");
    let list = "Numbers and ranges";
    window.fill_in(list, "1-3, 5x");
    window.read("section.card", "5x");
    window.shot("day-names-error");
    assert!(
        !window.pressable("Import"),
        "names with a mistake can be imported"
    );
    window.fill_in(list, "1-3");
    window.press_button("Import 3 names");
    window.read("section.card", "The names are");
    window.press_button("Next step");
    window.read("h2", "First batch");
    window.press_button("Create the first batch");
    window.read("h1", "batch");
    window.shot("day-wizard");

    window.go("#/names");
    window.read("main", "KXP2-CORO-003");
    window.press_button("Export CSV");
    window.read(".toast", "downloads");
    let saved = std::fs::read_dir(screen.downloads()).expect("the downloads");
    let saved: Vec<_> = saved.flatten().map(|entry| entry.path()).collect();
    let csv = saved
        .iter()
        .find(|path| path.extension().is_some_and(|e| e == "csv"));
    let csv = csv.unwrap_or_else(|| panic!("no CSV among {saved:?}"));
    let text = std::fs::read_to_string(csv).expect("the CSV");
    assert!(text.contains("KXP2-CORO-002"), "{text}");
    window.shot("day-export");
}

#[test]
fn a_rehearsed_batch_is_finished_after_its_failed_board_was_retried() {
    let Some(_turn) = ground::desktop("window: a rehearsal", &DRIVER) else {
        return;
    };
    let mut screen = Screen::new(1280, 800);
    screen.notifications();
    let window = Window::alone(&screen);
    window.go("#/rehearse");
    window.fill_in("Boards", "4");
    window.choose("Speed of their disks", "As fast as this machine can");
    window.fill_in("Boards with a fault", "1");
    window.tick("Its disk fails once");
    window.shot("day-rehearse");
    window.press_button("Start the rehearsal");
    // The page goes to the rehearsal's bench by itself.
    window.read(".banner", "Rehearsal");
    screen.notified("the failed board", |shown| shown.summary.contains("failed"));
    window.shot("day-rehearsal-failed");
    window.press_button("Try again");
    screen.notified("the end of the batch", |shown| {
        shown.summary.contains("complete") || shown.body.contains("complete")
    });
    window.shot("day-rehearsal-complete");
    window.go("#/rehearse");
    window.read("main", "Every board is done, and every disk was checked");
    window.shot("day-rehearsal-report");
    window.go("#/history");
    window.read("main", "Nothing has been provisioned yet");
}

#[test]
fn closing_the_window_in_the_middle_of_a_daemons_batch_harms_no_board() {
    const BOARDS: usize = 4;
    let Some(_turn) = ground::desktop("window: closing in the middle", &DRIVER) else {
        return;
    };
    let screen = Screen::new(1280, 800);
    let (mut station, Doors { dhcp, tftp, .. }) = Station::for_virtual_boards();
    station.serve();
    plan::product_venue_names(&station, 5);
    plan::image(&station, binaries::small_image());
    plan::batch(&station, 4);
    let window = Window::open(&screen, &station);
    let mut boards = Command::new(binaries::example("virtual-pi", "boards"));
    boards
        .args(["--dhcp", &format!("127.0.0.1:{dhcp}")])
        .args(["--tftp", &format!("127.0.0.1:{tftp}")])
        .args(["--boards", &BOARDS.to_string()])
        .args(["--disk-bytes", "536870912", "--timeout", "300"])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    let mut boards = Running::start(boards);
    station.until("boards at work", |heard| {
        let now = heard.now.as_ref()?;
        now.boards
            .iter()
            .any(|b| b.stage.is_working())
            .then_some(())
    });
    window.read("main", "KXP2-CORO-");
    window.shot("day-daemon-batch");
    window.close();
    assert!(boards.wait(Duration::from_mins(5)).success());
    station.until("every board to be done", |heard| {
        let boards = &heard.now.as_ref()?.boards;
        let done = boards.iter().filter(|b| b.stage.is_finished());
        (done.count() == BOARDS).then_some(())
    });
    assert!(station.boards().iter().all(|b| b.stage != Stage::Failed));
}
