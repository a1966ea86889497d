//! A station that is spoken to and whose folders are not one's own, and one that moves to a machine which
//! is set up differently.

use super::{Daemon, Place, text};
use serde_json::Value;
use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Output};

/// Somebody's home: their settings, their data, nothing of anybody else.
struct Home<'p>(&'p Place, &'static str);

impl Home<'_> {
    fn punnet(&self, words: &[&str]) -> Command {
        let of = |name: &str| self.0.path(self.1).join(name);
        let mut command = Command::new(env!("CARGO_BIN_EXE_punnet"));
        command
            .env_remove("PUNNET_CONFIG")
            .env("XDG_CONFIG_HOME", of("config"))
            .env("XDG_DATA_HOME", of("share"))
            .arg("--data-dir")
            .arg(of("share/punnet"))
            .args(words);
        command
    }

    fn run(&self, words: &[&str]) -> Output {
        let out = self.punnet(words).output().unwrap();
        assert_eq!(out.status.code(), Some(0), "{words:?}: {}", text(&out));
        out
    }

    fn set(&self, settings: &str) {
        let folder = self.0.path(self.1).join("config/punnet");
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("station.toml"), settings).unwrap();
    }

    fn settings(&self) -> String {
        fs::read_to_string(self.0.path(self.1).join("config/punnet/station.toml")).unwrap()
    }
}

#[test]
fn whoever_may_only_speak_to_a_station_gets_all_of_it_in_one_file() {
    let place = Place::new();
    let daemon = Daemon::start(&place);
    place.stock();
    // The service's socket lies elsewhere than its data.
    let door = place.path("door");
    fs::create_dir(&door).unwrap();
    symlink(place.path("data/punnet.sock"), door.join("punnet.sock")).unwrap();
    let member = Home(&place, "member");
    let file = place.path("all.punnet");
    let backup = ["--json", "backup", file.to_str().unwrap()];
    let mut backup = member.punnet(&backup);
    let made = backup.env("RUNTIME_DIRECTORY", &door).output().unwrap();
    assert_eq!(made.status.code(), Some(0), "{}", text(&made));
    let made: Value = serde_json::from_slice(&made.stdout).unwrap();
    assert_eq!(made["bytes"], fs::metadata(&file).unwrap().len());
    assert!(!place.path("member").exists(), "nothing of their own");
    assert_eq!(daemon.stop(), Some(0));

    let new = Home(&place, "new");
    new.run(&["restore", file.to_str().unwrap()]);
    let names = new.run(&["--json", "names", "list"]);
    let names: Value = serde_json::from_slice(&names.stdout).unwrap();
    assert_eq!(names.as_array().unwrap().len(), 10);
    let key = |folder: &Path| fs::read(folder.join("station.key")).unwrap();
    let (old, new) = (place.path("data"), place.path("new/share/punnet"));
    assert_eq!(key(&old), key(&new), "the station's, not the member's");
}

#[test]
fn restored_settings_take_the_place_of_comments_and_what_they_name_is_listed() {
    let place = Place::new();
    let (old, new) = (Home(&place, "old"), Home(&place, "new"));
    let (own, kept) = (place.path("own.pem"), place.path("own.key"));
    fs::write(&kept, "a key").unwrap();
    let settings = format!(
        "[management]\ncertificate = \"{}\"\nkey = \"{}\"\n[backup]\nkeep = 5\n",
        own.display(),
        kept.display()
    );
    old.set(&settings);
    let file = place.path("all.punnet");
    let file = file.to_str().unwrap();
    old.run(&["backup", file]);

    new.set("# As it comes with the package.\n#[deployment]\n#interface = \"eth1\"\n");
    let said = text(&new.run(&["restore", file]));
    assert_eq!(new.settings(), settings);
    assert!(said.contains("used from now on"), "{said}");
    let line = |key: &str| said.lines().find(|line| line.contains(key)).unwrap();
    let certificate = line("(management.certificate)");
    assert!(
        certificate.contains(&*own.to_string_lossy()) && certificate.ends_with("copy it here.")
    );
    assert!(line("(management.key)").ends_with("the one here is used."));
    assert!(said.contains("Every login of then has ended"), "{said}");

    new.set("[backup]\nkeep = 6\n");
    let said = text(&new.run(&["restore", "--force", file]));
    assert!(said.contains("was left alone"), "{said}");
    assert_eq!(new.settings(), "[backup]\nkeep = 6\n");
}
