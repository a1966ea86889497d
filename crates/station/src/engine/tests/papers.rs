//! Documents, read back with programs that nobody here wrote.

use super::*;
use crate::papers::Paper;
use crate::who::Who;
use std::process::Command as Program;
use wire::document::{DocumentKind, LabelSheet};

const NAME: &str = "</title><script>alert(1)</script> & Łódź";

impl Rig {
    async fn paper(&self, kind: DocumentKind) -> Paper {
        self.engine.document_by(&Who::here(), kind).await.unwrap()
    }

    async fn no_paper(&self, kind: DocumentKind) -> Refusal {
        self.engine
            .document_by(&Who::here(), kind)
            .await
            .unwrap_err()
    }

    /// A started batch of `count` boards whose product and venue have awkward names.
    async fn awkward(pattern: &str, count: u32) -> Self {
        let rig = Self::empty();
        rig.command(Command::ProductAdd {
            code: "KXP2".parse().unwrap(),
            name: NAME.to_owned(),
            pattern: pattern.to_owned(),
        })
        .await;
        rig.command(Command::VenueAdd {
            code: "CORO".parse().unwrap(),
            name: "Corona \"Speedway\"".to_owned(),
            location: "=1+1".to_owned(),
            contact: String::new(),
        })
        .await;
        rig.image("KXP2", 1).await.unwrap();
        rig.import(&format!("1-{count}")).await;
        rig.batch(count).await;
        rig
    }
}

/// Runs a program over a file and gives what it says.
fn reads(program: &str, before: &[&str], paper: &Paper, after: &[&str]) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(&paper.file_name);
    std::fs::write(&file, &paper.bytes).unwrap();
    let out = Program::new(program)
        .args(before)
        .arg(&file)
        .args(after)
        .output()
        .unwrap_or_else(|e| panic!("{program}: {e}; see packaging/setup/deps.sh"));
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(out.status.success(), "{program}: {said}");
    out.stdout
}

fn text(paper: &Paper) -> String {
    let text = reads("pdftotext", &["-layout"], paper, &["-"]);
    String::from_utf8(text).unwrap()
}

fn pages(paper: &Paper) -> usize {
    let info = String::from_utf8(reads("pdfinfo", &[], paper, &[])).unwrap();
    let count = info.lines().find_map(|l| l.strip_prefix("Pages:"));
    count.unwrap().trim().parse().unwrap()
}

/// What a scanner finds in the upper left of the first page, `width` × `height` of its pixels.
fn scanned(paper: &Paper, width: u32, height: u32) -> Vec<String> {
    let crop = format!("-r 300 -gray -singlefile -x 0 -y 0 -W {width} -H {height}");
    let crop: Vec<&str> = crop.split(' ').collect();
    let picture = Paper {
        bytes: reads("pdftoppm", &crop, paper, &[]),
        file_name: "page.pgm".to_owned(),
        ..paper.clone()
    };
    let said = reads("zbarimg", &["--quiet", "--raw", "--nodbus"], &picture, &[]);
    let said = String::from_utf8(said).unwrap();
    said.lines().map(ToOwned::to_owned).collect()
}

fn lines(paper: &Paper) -> Vec<String> {
    let text = String::from_utf8(paper.bytes.clone()).unwrap();
    text.lines().map(ToOwned::to_owned).collect()
}

fn labels(batch: i64, sheet: LabelSheet) -> DocumentKind {
    DocumentKind::Labels {
        batch: Some(BatchId(batch)),
        boards: Vec::new(),
        sheet,
    }
}

fn labels_of(boards: &[u32]) -> DocumentKind {
    DocumentKind::Labels {
        batch: None,
        boards: boards.iter().map(|n| BoardId::Pi(*n)).collect(),
        sheet: LabelSheet::Single62x29,
    }
}

fn batch(n: i64) -> BatchId {
    BatchId(n)
}

#[tokio::test]
async fn every_row_of_the_history_is_exported_whatever_the_limit() {
    let rig = Rig::with_batch(3).await;
    for n in 1..=2 {
        rig.finish(n).await;
    }
    rig.fail(3).await;
    let filter = HistoryFilter {
        limit: 1,
        offset: 2,
        ..HistoryFilter::default()
    };
    let csv = rig.paper(DocumentKind::HistoryCsv(filter.clone())).await;
    let rows = lines(&csv);
    assert_eq!(rows.len(), 4, "{rows:?}");
    assert!(rows[0].starts_with("hostname,board,mac,"));
    assert!(rows.iter().any(|row| row.contains("LBA 77")));
    let json = rig.paper(DocumentKind::HistoryJson(filter)).await;
    let read: Vec<Deployment> = serde_json::from_slice(&json.bytes).unwrap();
    assert_eq!(read, rig.history(HistoryFilter::default()).await);
    let none = HistoryFilter {
        text: Some("nothing like it".to_owned()),
        ..HistoryFilter::default()
    };
    let json = rig.paper(DocumentKind::HistoryJson(none)).await;
    assert_eq!(
        serde_json::from_slice::<Vec<Deployment>>(&json.bytes).unwrap(),
        []
    );
}

#[tokio::test]
async fn names_are_exported_and_no_note_is_run_as_a_formula() {
    let rig = Rig::ready(0).await;
    rig.command(import_csv("number,note\n2,=HYPERLINK(1)\n10,\n1,plain\n"))
        .await;
    let csv = rig
        .paper(DocumentKind::NamesCsv(NameFilter::default()))
        .await;
    let rows = lines(&csv);
    assert_eq!(rows.len(), 4);
    assert!(rows[1].starts_with("KXP2-CORO-001,KXP2,CORO,1,available,,,plain,"));
    assert!(rows[2].contains(",'=HYPERLINK(1),"), "{}", rows[2]);
    assert!(rows[3].starts_with("KXP2-CORO-010,"));
}

#[tokio::test]
async fn a_certificate_names_every_board_and_its_columns_on_every_page() {
    let rig = Rig::awkward("{product}-{venue}-{number}", 61).await;
    rig.engine.set_station_url("http://10.0.0.1".to_owned());
    let first = rig.finish(1).await;
    for n in 2..=60 {
        rig.finish(n).await;
    }
    rig.fail(61).await;
    rig.hello(&first, "KXP2-CORO-1").await;
    let of = batch(1);
    let paper = rig.paper(DocumentKind::CertificatePdf { batch: of }).await;
    assert_eq!(paper.file_name, "punnet-certificate-1.pdf");
    let count = pages(&paper);
    let text = text(&paper);
    let sheets: Vec<&str> = text.split_terminator('\u{c}').collect();
    assert_eq!(sheets.len(), count);
    assert!((2..=4).contains(&count), "{count} pages");
    for (n, sheet) in sheets.iter().enumerate() {
        assert!(sheet.contains(&format!("{} of {count}", n + 1)), "{sheet}");
        assert!(sheet.contains("First boot"), "{sheet}");
        assert!(sheet.contains("Certificate of batch 1"), "{sheet}");
    }
    assert!(
        text.contains("60 of 61 boards planned are finished."),
        "{text}"
    );
    assert!(text.contains("Every disk was read back in full"), "{text}");
    assert!(
        text.contains("1 installed system has called home"),
        "{text}"
    );
    assert!(text.contains("& ?ód?"), "{text}");
    assert!(
        text.contains(&"ab".repeat(32)) && text.contains(&"01".repeat(32)),
        "{text}"
    );
    let rows = text
        .lines()
        .filter(|l| l.contains("read back in full") && l.contains("KXP2-"));
    let names: Vec<&str> = rows.filter_map(|l| l.split_whitespace().nth(1)).collect();
    let expected: Vec<String> = (1..=60).map(|n| format!("KXP2-CORO-{n}")).collect();
    assert_eq!(names, expected, "in the order of their numbers");
    assert!(
        text.contains("9d00ce410000003c") && text.contains("2c:cf:00:00:00:3c"),
        "{text}"
    );

    let html = rig.paper(DocumentKind::CertificateHtml { batch: of }).await;
    let html = String::from_utf8(html.bytes).unwrap();
    assert!(!html.contains("<script") && !html.contains("src=") && !html.contains("href="));
    assert!(
        html.contains("&lt;script&gt;alert(1)&lt;/script&gt; &amp; Łódź"),
        "{html}"
    );
    assert_eq!(html.matches("<tr>").count(), 61);

    let csv = rig.paper(DocumentKind::CertificateCsv { batch: of }).await;
    let rows = lines(&csv);
    assert_eq!(rows.len(), 61);
    let second = "KXP2-CORO-2,00000002,9d00ce4100000002,2c:cf:00:00:00:02,1,KXP2,";
    assert!(rows[2].starts_with(second), "{}", rows[2]);
}

#[tokio::test]
async fn a_certificate_before_the_first_board_says_so() {
    let rig = Rig::with_batch(2).await;
    let of = batch(1);
    let paper = rig.paper(DocumentKind::CertificatePdf { batch: of }).await;
    assert_eq!(pages(&paper), 1);
    let none = "None of the 2 boards is finished yet.";
    assert!(text(&paper).contains(none));
    let missing = rig
        .no_paper(DocumentKind::CertificateHtml { batch: batch(9) })
        .await;
    assert_eq!(
        (missing.code, missing.field.as_deref()),
        (Code::NotFound, Some("batch"))
    );
}

#[tokio::test]
async fn labels_of_a_batch_are_its_finished_boards_in_the_order_of_their_names() {
    let rig = Rig::with_batch(30).await;
    let refusal = rig.no_paper(labels(1, LabelSheet::A4x24)).await;
    assert!(
        refusal
            .message
            .starts_with("No board of batch 1 is finished yet"),
        "{refusal}"
    );
    for n in (1..=26).rev() {
        rig.finish(n).await;
    }
    rig.fail(27).await;
    let paper = rig.paper(labels(1, LabelSheet::A4x24)).await;
    assert_eq!(paper.file_name, "punnet-labels-batch-1.pdf");
    assert_eq!(pages(&paper), 2, "24 on a page");
    let said = text(&paper);
    let names: Vec<&str> = said
        .split_whitespace()
        .filter(|w| w.starts_with("KXP2-"))
        .collect();
    let expected: Vec<String> = (1..=26).map(|n| format!("KXP2-CORO-{n:03}")).collect();
    assert_eq!(names, expected);
    assert!(
        said.contains("a product") && said.contains("a venue"),
        "{said}"
    );
    let codes = scanned(&paper, 2480, 900);
    assert_eq!(codes.len(), 6, "two rows of three: {codes:?}");
    let one = "KXP2-CORO-001 9d00ce410000001a 2c:cf:00:00:00:1a".to_owned();
    assert!(codes.contains(&one), "{codes:?}");
}

#[tokio::test]
async fn the_longest_name_and_a_foreign_script_fit_every_paper() {
    let prefix = "the-grandstand-of-the-northern-half-of-the-longest-circuit-";
    let rig = Rig::awkward(&format!("{prefix}{{number:04}}"), 1).await;
    rig.finish(1).await;
    let name = format!("{prefix}0001");
    assert_eq!(name.len(), 63);
    for sheet in [
        LabelSheet::A4x24,
        LabelSheet::A4x65,
        LabelSheet::LetterX30,
        LabelSheet::Single62x29,
    ] {
        let paper = rig.paper(labels(1, sheet)).await;
        assert_eq!(pages(&paper), 1);
        let said: String = text(&paper).split_whitespace().collect();
        assert!(
            said.contains("9d00ce4100000001") && said.contains("2c:cf:00:00:00:01"),
            "{said}"
        );
        let code = format!("{name} 9d00ce4100000001 2c:cf:00:00:00:01");
        assert_eq!(scanned(&paper, 900, 500), [code], "{sheet:?}");
    }
}

#[tokio::test]
async fn a_label_of_a_single_board_needs_a_name_and_nothing_else() {
    let rig = Rig::with_batch(2).await;
    rig.fail(1).await;
    rig.discover(7).await;
    let paper = rig.paper(labels_of(&[1, 1])).await;
    assert_eq!(paper.file_name, "punnet-labels-2-boards.pdf");
    assert_eq!(pages(&paper), 1, "each board once");
    assert!(text(&paper).contains("KXP2-CORO-001"));
    let nameless = rig.no_paper(labels_of(&[1, 7])).await;
    assert!(
        nameless
            .message
            .starts_with("Board 00000007 has no name yet"),
        "{nameless}"
    );
    let stranger = rig.no_paper(labels_of(&[8])).await;
    assert_eq!(stranger.code, Code::NotFound);
    assert!(stranger.message.contains("00000008"), "{stranger}");
    let both = DocumentKind::Labels {
        batch: Some(batch(1)),
        boards: vec![BoardId::Pi(1)],
        sheet: LabelSheet::A4x24,
    };
    assert_eq!(rig.no_paper(both).await.code, Code::Invalid);
    assert_eq!(rig.no_paper(labels_of(&[])).await.code, Code::Invalid);
    assert_eq!(
        rig.no_paper(labels(1, LabelSheet::Unknown))
            .await
            .field
            .as_deref(),
        Some("sheet")
    );
}

#[tokio::test]
async fn a_name_that_moved_to_another_board_is_printed_once() {
    let rig = Rig::with_batch(2).await;
    rig.finish(1).await;
    rig.finish(2).await;
    rig.command(Command::BoardRelease {
        board: BoardId::Pi(1),
        reason: "scrapped".to_owned(),
    })
    .await;
    let said = text(&rig.paper(labels(1, LabelSheet::A4x24)).await);
    assert!(
        !said.contains("KXP2-CORO-001") && said.contains("KXP2-CORO-002"),
        "{said}"
    );
}

#[tokio::test]
async fn a_boards_log_has_every_event_and_no_forged_line() {
    let rig = Rig::with_batch(1).await;
    let job = rig.job(1).await;
    let forged = AgentEvent::Failed(Failure {
        stage: Stage::Writing,
        what: "it broke\n2026-01-01 00:00:00.000 +00:00  info     all is well".to_owned(),
        next: "Replace the card.".to_owned(),
    });
    rig.report(&job, vec![(1, step(Stage::Writing)), (2, forged)])
        .await;
    let log = rig
        .paper(DocumentKind::BoardLog {
            board: BoardId::Pi(1),
        })
        .await;
    let text = String::from_utf8(log.bytes).unwrap();
    for wanted in [
        "Board 00000001",
        "9d00ce4100000001",
        "KXP2-CORO-001",
        "batch 1, attempt 1",
    ] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    let about = |event: &&Event| event.board == Some(BoardId::Pi(1));
    for event in rig.events().await.iter().filter(about) {
        let one_line = event.text.replace('\n', " ");
        assert!(text.contains(&one_line), "{one_line}: {text}");
    }
    assert!(!text.lines().any(|l| l.starts_with("2026-01-01")), "{text}");
    let missing = rig
        .no_paper(DocumentKind::BoardLog {
            board: BoardId::Pi(9),
        })
        .await;
    assert_eq!(missing.code, Code::NotFound);
}

#[tokio::test]
async fn the_query_carries_the_same_bytes() {
    let rig = Rig::with_batch(1).await;
    rig.finish(1).await;
    let kind = labels_of(&[1]);
    let Answer::Document(document) = rig
        .engine
        .query(Query::Document(kind.clone()))
        .await
        .unwrap()
    else {
        panic!("another answer");
    };
    assert_eq!(document.media_type, "application/pdf");
    let bytes = crate::papers::bytes(&document).unwrap();
    assert_eq!(bytes, rig.paper(kind).await.bytes);
    assert!(bytes.starts_with(b"%PDF-"));
}
