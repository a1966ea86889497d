//! The certificate as one page that needs nothing else: no script, no other file. Every text goes
//! through the template's escaping.

use super::Facts;
use crate::papers::moment::iso;
use maud::{DOCTYPE, PreEscaped, html};

/// For the screen and, below, for paper.
const STYLE: &str = "
:root { color-scheme: light; }
body { font: 14px/1.45 system-ui, sans-serif; color: #111; background: #fff; margin: 2rem auto;
  padding: 0 1.5rem; max-width: 72rem; }
h1 { font-size: 1.6rem; margin: 0 0 .5rem; }
h2 { font-size: 1.05rem; margin: 1.5rem 0 .5rem; }
.summary { font-size: 1.05rem; max-width: 60rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; margin: 0; }
dt { color: #555; }
dd { margin: 0; overflow-wrap: anywhere; }
.image { margin: 0 0 .8rem; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; }
th, td { text-align: left; vertical-align: top; padding: .3rem .6rem .3rem 0;
  border-bottom: 1px solid #bbb; }
th { border-bottom: 2px solid #111; }
td { overflow-wrap: anywhere; }
td.fixed { white-space: nowrap; font-family: ui-monospace, monospace; font-size: .92em; }
td.time { white-space: nowrap; }
footer { margin-top: 1.5rem; color: #555; }
@page { size: A4 landscape; margin: 15mm;
  @bottom-right { content: counter(page) \" of \" counter(pages); font: 9pt sans-serif; } }
@media print {
  body { font-size: 9pt; margin: 0; padding: 0; max-width: none; }
  .wide { overflow: visible; }
  thead { display: table-header-group; }
  tr, .image { break-inside: avoid; }
}
";

/// The page.
pub(in crate::papers) fn page(facts: &Facts) -> String {
    let columns = [
        "Name",
        "Serial or board",
        "MAC",
        "Image",
        "Proof",
        "Finished",
        "First boot",
    ];
    let time = |at: Option<wire::Millis>| {
        html! {
            @if let Some(at) = at { time datetime=(iso(at)) { (facts.occasion.minute(at)) } }
            @else { "–" }
        }
    };
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                title { (facts.title()) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                h1 { (facts.title()) }
                p.summary { (facts.summary()) }
                dl {
                    @for (name, value) in facts.particulars() { dt { (name) } dd { (value) } }
                }
                @if !facts.images.is_empty() {
                    h2 { @if facts.images.len() == 1 { "Image" } @else { "Images" } }
                }
                @for image in &facts.images {
                    dl.image {
                        dt { "Version" } dd { (image.version) }
                        dt { "File" } dd { (image.file_name) }
                        dt { "SHA-256" } dd { (image.sha256) }
                        dt { "Pack" } dd { (image.id.to_string()) }
                    }
                }
                h2 { "Boards" }
                div.wide {
                    table {
                        thead { tr {
                            @for column in columns { th scope="col" { (column) } }
                        } }
                        tbody {
                            @for row in &facts.boards {
                                tr {
                                    td { strong { (row.hostname) } }
                                    td.fixed { (row.serial) }
                                    td.fixed { (row.mac.to_string()) }
                                    td { (row.image) }
                                    td { (row.proof()) }
                                    td.time { (time(row.made.ended)) }
                                    td.time { (time(row.made.confirmed)) }
                                }
                            }
                        }
                    }
                }
                footer { (facts.imprint()) }
            }
        }
    }
    .into_string()
}
