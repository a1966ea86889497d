//! Products.

use super::super::turn::Turn;
use super::shared::{product, text};
use crate::batches::machine;
use crate::bench::stages::Note;
use crate::names::pattern::Pattern;
use crate::store;
use crate::store::events::About;
use wire::batch::{Batch, Product};
use wire::command::Receipt;
use wire::name::ProductCode;
use wire::refusal::Refusal;

/// Adds a product.
pub(super) fn add(
    turn: &mut Turn<'_>,
    code: ProductCode,
    name: &str,
    pattern: &str,
) -> Result<Receipt, Refusal> {
    if store::products::get(turn.tx, &code)?.is_some() {
        return Err(Refusal::conflict(format!("There is a product {code} already.")).at("code"));
    }
    let product = Product {
        pattern: checked(&code, pattern)?,
        name: text("name", name, 1, 100)?,
        code,
        image: None,
        archived: false,
    };
    store::products::add(turn.tx, &product, turn.now)?;
    let text = format!("Product {} ({}) was added.", product.code, product.pattern);
    turn.note(&About::default(), Note::info("product.added", text))?;
    Ok(Receipt::Product(product))
}

fn checked(code: &ProductCode, text: &str) -> Result<String, Refusal> {
    let wrong =
        |e: crate::names::pattern::PatternError| Refusal::invalid("pattern", format!("{e}."));
    let pattern: Pattern = text.parse().map_err(wrong)?;
    pattern.check(code).map_err(wrong)?;
    Ok(pattern.to_string())
}

fn open_batch<'a>(turn: &Turn<'a>, code: &ProductCode) -> Option<&'a Batch> {
    let mut batches = turn.plans.batches.iter();
    batches.find(|b| machine::is_open(b.state) && b.plan.product == *code)
}

/// Changes a product.
pub(super) fn edit(
    turn: &mut Turn<'_>,
    code: &ProductCode,
    name: Option<&str>,
    pattern: Option<&str>,
) -> Result<Receipt, Refusal> {
    let mut edited = product(turn, code).map_err(|r| r.at("code"))?;
    if let Some(name) = name {
        edited.name = text("name", name, 1, 100)?;
    }
    if let Some(pattern) = pattern {
        let pattern = checked(code, pattern)?;
        if pattern != edited.pattern
            && let Some(batch) = open_batch(turn, code)
        {
            return Err(Refusal::conflict(format!(
                "Batch {} of {code} is under way; its names would not match.",
                batch.id
            ))
            .at("pattern")
            .next("Change the pattern when it is complete or cancelled."));
        }
        edited.pattern = pattern;
    }
    store::products::update(turn.tx, &edited)?;
    let text = format!("Product {code} was changed ({}).", edited.pattern);
    turn.note(&About::default(), Note::info("product.changed", text))?;
    Ok(Receipt::Product(edited))
}

/// Archives a product, or brings it back.
pub(super) fn archive(
    turn: &mut Turn<'_>,
    code: &ProductCode,
    archived: bool,
) -> Result<Receipt, Refusal> {
    let mut edited = product(turn, code).map_err(|r| r.at("code"))?;
    if archived && let Some(batch) = open_batch(turn, code) {
        return Err(
            Refusal::conflict(format!("Batch {} of {code} is under way.", batch.id))
                .at("code")
                .next("Archive the product when it is complete or cancelled."),
        );
    }
    if edited.archived != archived {
        edited.archived = archived;
        store::products::update(turn.tx, &edited)?;
        let how = if archived { "archived" } else { "brought back" };
        let text = format!("Product {code} was {how}.");
        turn.note(&About::default(), Note::info("product.archived", text))?;
    }
    Ok(Receipt::Product(edited))
}
