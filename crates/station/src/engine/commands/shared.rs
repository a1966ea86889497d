//! What several commands share: checks of their fields, and the receipt of those that make nothing.

use crate::engine::turn::Turn;
use crate::store;
use wire::batch::Product;
use wire::command::Receipt;
use wire::name::ProductCode;
use wire::refusal::Refusal;

/// A text field within its bounds, trimmed.
pub(in crate::engine) fn text(
    field: &str,
    text: &str,
    least: usize,
    most: usize,
) -> Result<String, Refusal> {
    let text = text.trim();
    let len = text.chars().count();
    if len < least || len > most {
        let bounds = if least == 0 {
            format!("at most {most}")
        } else {
            format!("{least} to {most}")
        };
        return Err(Refusal::invalid(
            field,
            format!("The {field} has {bounds} characters, this one has {len}."),
        ));
    }
    if text.chars().any(char::is_control) {
        return Err(Refusal::invalid(
            field,
            format!("The {field} is one line of text."),
        ));
    }
    Ok(text.to_owned())
}

/// Why somebody did it, for the record.
pub(in crate::engine) fn because(reason: &str) -> Result<String, Refusal> {
    text("reason", reason, 1, 500)
}

/// A product that exists.
pub(in crate::engine) fn product(turn: &Turn<'_>, code: &ProductCode) -> Result<Product, Refusal> {
    store::products::get(turn.tx, code)?.ok_or_else(|| {
        Refusal::not_found(format!("There is no product {code}."))
            .at("product")
            .next("Add it first.")
    })
}

/// A product that takes new work.
pub(in crate::engine) fn live_product(
    turn: &Turn<'_>,
    code: &ProductCode,
) -> Result<Product, Refusal> {
    let product = product(turn, code)?;
    if product.archived {
        return Err(Refusal::conflict(format!("Product {code} is archived."))
            .at("product")
            .next("Bring it back first."));
    }
    Ok(product)
}

/// It was done, and this is what to say about it.
pub(in crate::engine) fn done(text: String) -> Receipt {
    Receipt::Done { text }
}
