//! The first boot calls home: a script that says once that the system is up, then removes itself.
//!
//! The image is somebody else's, so the script takes what it finds: curl, wget, busybox, or bash
//! alone. It is started by systemd where the image has it, else from `/etc/rc.local`. It gives up
//! for the day after some minutes and for good after ten boots, so that a board in the field does
//! not ask for a station for ever.

use super::PersonaliseError;
use super::identity::{enable, rc_local, uses_systemd};
use super::tree::Tree;
use wire::agent::HelloCall;

/// Where the script lies in the installed system.
pub const SCRIPT: &str = "/usr/lib/punnet/first-boot";

const UNIT: &str = "punnet-first-boot.service";

const UNIT_TEXT: &str = "\
[Unit]
Description=Say once that this system is up
Wants=network-online.target
After=network-online.target
ConditionPathExists=/usr/lib/punnet/first-boot

[Service]
ExecStart=/bin/sh /usr/lib/punnet/first-boot

[Install]
WantedBy=multi-user.target
";

const BODY: &str = r#"
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
home=/usr/lib/punnet
unit=punnet-first-boot.service

have() { command -v "$1" >/dev/null 2>&1; }

body() {
    name= id=
    read -r name </proc/sys/kernel/hostname
    [ -r /etc/machine-id ] && read -r id </etc/machine-id
    case $name in '' | *[!A-Za-z0-9._-]*) name=unreadable ;; esac
    case $id in '' | *[!0-9a-f]*) id=null ;; *) id="\"$id\"" ;; esac
    printf '{"secret":"%s","hostname":"%s","machine_id":%s}' "$secret" "$name" "$id"
}

by_curl() {
    have curl && curl -fsS -m 15 -H 'content-type: application/json' --data "$1" "$url"
}

# Limits come from outside: the -T of busybox 1.35's wget crashes.
limit=
have timeout && limit='timeout 15'

by_wget() {
    have wget && $limit wget -q -O - --header 'content-type: application/json' \
        --post-data "$1" "$url"
}

by_busybox() {
    have busybox && $limit busybox wget -q -O - --header 'content-type: application/json' \
        --post-data "$1" "$url"
}

by_bash() {
    have bash || return 1
    $limit bash -c '
        exec 3<>"/dev/tcp/$1/$2" || exit 1
        printf "POST %s HTTP/1.0\r\nHost: %s\r\nContent-Type: application/json\r\n" "$3" "$1" >&3
        printf "Content-Length: %s\r\nConnection: close\r\n\r\n%s" "${#4}" "$4" >&3
        while read -r line <&3 || [ -n "$line" ]; do printf "%s\n" "$line"; line=; done
    ' call "$host" "$port" "$path" "$1"
}

call() {
    by_curl "$1" || by_wget "$1" || by_busybox "$1" || by_bash "$1"
}

leave() {
    [ -w /etc/rc.local ] && have sed && sed -i '\|/usr/lib/punnet/|d' /etc/rc.local
    rm -f "/etc/systemd/system/multi-user.target.wants/$unit" "/etc/systemd/system/$unit"
    rm -rf "$home"
    exit 0
}

boots=0
[ -r "$home/boots" ] && read -r boots <"$home/boots"
case $boots in '' | *[!0-9]*) boots=0 ;; esac
[ "$boots" -ge 10 ] && leave
echo $((boots + 1)) >"$home/boots"

tries=0
while [ "$tries" -lt 90 ]; do
    case $(call "$(body)" 2>/dev/null) in
    *'"confirmed":true'* | *'"confirmed": true'*) leave ;;
    esac
    tries=$((tries + 1))
    sleep 4
done
"#;

pub(super) fn plan(tree: &mut Tree<'_>, hello: &HelloCall) -> Result<(), PersonaliseError> {
    tree.write(SCRIPT, script(hello)?.into_bytes(), 0o700)?;
    if uses_systemd(tree)? {
        enable(tree, UNIT, UNIT_TEXT.to_owned())
    } else {
        rc_local(tree, &format!("[ -e {SCRIPT} ] && /bin/sh {SCRIPT} &"))
    }
}

fn script(hello: &HelloCall) -> Result<String, PersonaliseError> {
    let (host, port, path) =
        split(&hello.url).ok_or_else(|| PersonaliseError::HelloUrl(hello.url.clone()))?;
    if !is_plain(&hello.secret, "-_.") {
        return Err(PersonaliseError::HelloUrl("the secret".to_owned()));
    }
    Ok(format!(
        "#!/bin/sh\n\
         # Says once to the station that provisioned this system that it is up.\n\
         url='{url}'\n\
         host='{host}'\n\
         port='{port}'\n\
         path='{path}'\n\
         secret='{secret}'\n\
         {BODY}",
        url = hello.url,
        secret = hello.secret,
    ))
}

/// Takes `http://host:port/path` apart; only characters that mean nothing to a shell pass.
fn split(url: &str) -> Option<(&str, u16, &str)> {
    let rest = url.strip_prefix("http://")?;
    let slash = rest.find('/')?;
    let (place, path) = rest.split_at(slash);
    let (host, port) = place.split_once(':').unwrap_or((place, "80"));
    let sound = !host.is_empty() && is_plain(host, ".-") && is_plain(path, "/-_.~");
    Some((host, port.parse().ok()?, path)).filter(|_| sound)
}

fn is_plain(text: &str, also: &str) -> bool {
    text.chars()
        .all(|c| c.is_ascii_alphanumeric() || also.contains(c))
}

/// The call that a first-boot script makes, for whoever plays the installed system in a rehearsal.
pub fn hello_in(script: &str) -> Option<HelloCall> {
    let value = |name: &str| {
        script.lines().find_map(|line| {
            let rest = line.strip_prefix(name)?.strip_prefix("='")?;
            Some(rest.strip_suffix('\'')?.to_owned())
        })
    };
    Some(HelloCall {
        url: value("url")?,
        secret: value("secret")?,
    })
}

#[cfg(test)]
mod tests {
    use super::super::testing::MemoryFs;
    use super::super::{Edit, RootFs, changed_files};
    use super::*;

    fn call() -> HelloCall {
        HelloCall {
            url: "http://192.168.151.1:5001/agent/v1/hello".to_owned(),
            secret: "s3cret-A".to_owned(),
        }
    }

    fn planned(files: &[(&str, &str)]) -> (MemoryFs, Vec<Edit>) {
        let mut fs = MemoryFs::new(files);
        let mut tree = Tree::new(&mut fs);
        plan(&mut tree, &call()).unwrap();
        let edits = tree.into_edits();
        fs.carry_out(&edits).unwrap();
        (fs, edits)
    }

    #[test]
    fn systemd_starts_the_script_and_it_names_its_call() {
        let (fs, edits) = planned(&[("/usr/lib/systemd/systemd*", "")]);
        assert_eq!(
            changed_files(&edits),
            [
                "/etc/systemd/system/multi-user.target.wants/punnet-first-boot.service",
                "/etc/systemd/system/punnet-first-boot.service",
                SCRIPT,
            ]
        );
        assert_eq!(hello_in(&fs.text(SCRIPT)), Some(call()));
    }

    #[test]
    fn without_systemd_rc_local_is_made() {
        let (fs, _) = planned(&[("/etc/inittab", "")]);
        let text = fs.text("/etc/rc.local");
        assert_eq!(
            text,
            "#!/bin/sh\n[ -e /usr/lib/punnet/first-boot ] && /bin/sh /usr/lib/punnet/first-boot &\nexit 0\n"
        );
        assert_eq!(fs.files["/etc/rc.local"].1, 0o755);
    }

    #[test]
    fn nothing_that_a_shell_would_run_gets_into_the_script() {
        for url in [
            "http://a'b:1/x",
            "http://a:1/$(reboot)",
            "http://a:1",
            "ftp://a:1/x",
            "http://a:b/x",
            "http://:1/x",
        ] {
            let hello = HelloCall {
                url: url.to_owned(),
                ..call()
            };
            assert!(script(&hello).is_err(), "{url} was accepted");
        }
        let hello = HelloCall {
            secret: "a'; reboot; '".to_owned(),
            ..call()
        };
        assert!(script(&hello).is_err());
    }
}
