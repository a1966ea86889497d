//! Operators: who may log in, and what each may do.

use super::super::logins::acceptable;
use super::super::turn::Turn;
use super::shared::done;
use crate::store;
use wire::command::Receipt;
use wire::operator::{Operator, OperatorName, Password, Role};
use wire::refusal::Refusal;
use wire::update::Update;

/// No password has this hash. It stands where a command is only tried.
const NO_HASH: &str = "none";

/// Lets somebody log in.
pub(super) fn add(
    turn: &mut Turn<'_>,
    name: &OperatorName,
    role: Role,
    password: &Password,
    hash: Option<&str>,
) -> Result<Receipt, Refusal> {
    sound(role)?;
    if store::operators::get(turn.tx, name, turn.now)?.is_some() {
        let text = format!("There is an operator {name} already.");
        return Err(Refusal::conflict(text)
            .at("name")
            .next("Choose another name, or give that operator a new password."));
    }
    acceptable(name, password)?;
    store::operators::add(turn.tx, name, role, hash.unwrap_or(NO_HASH), turn.now)?;
    changed(turn, name)
}

/// Gives an operator another password.
pub(super) fn password(
    turn: &mut Turn<'_>,
    name: &OperatorName,
    password: &Password,
    hash: Option<&str>,
) -> Result<Receipt, Refusal> {
    known(turn, name)?;
    acceptable(name, password)?;
    store::operators::set_hash(turn.tx, name, hash.unwrap_or(NO_HASH))?;
    store::operators::end_all(turn.tx, name)?;
    changed(turn, name)
}

/// Changes a role.
pub(super) fn role(
    turn: &mut Turn<'_>,
    name: &OperatorName,
    role: Role,
) -> Result<Receipt, Refusal> {
    sound(role)?;
    let operator = known(turn, name)?;
    if role != Role::Admin {
        not_the_last(turn, &operator)?;
    }
    store::operators::set_role(turn.tx, name, role)?;
    changed(turn, name)
}

/// Lets an operator log in no more, or again.
pub(super) fn disable(
    turn: &mut Turn<'_>,
    name: &OperatorName,
    disabled: bool,
) -> Result<Receipt, Refusal> {
    let operator = known(turn, name)?;
    if disabled {
        not_the_last(turn, &operator)?;
        store::operators::end_all(turn.tx, name)?;
    }
    store::operators::set_disabled(turn.tx, name, disabled)?;
    changed(turn, name)
}

/// Forgets an operator.
pub(super) fn remove(turn: &mut Turn<'_>, name: &OperatorName) -> Result<Receipt, Refusal> {
    let operator = known(turn, name)?;
    not_the_last(turn, &operator)?;
    store::operators::remove(turn.tx, name)?;
    turn.tell(Update::Plans);
    Ok(done(format!("{name} may log in no more.")))
}

fn known(turn: &Turn<'_>, name: &OperatorName) -> Result<Operator, Refusal> {
    let found = store::operators::get(turn.tx, name, turn.now)?;
    found.ok_or_else(|| {
        Refusal::not_found(format!("There is no operator {name}."))
            .at("name")
            .next("Look at the list of operators.")
    })
}

fn sound(role: Role) -> Result<(), Refusal> {
    if role == Role::Unknown {
        let text = "The role is viewer, operator or admin.";
        return Err(Refusal::invalid("role", text));
    }
    Ok(())
}

/// Somebody must stay who can add others.
fn not_the_last(turn: &Turn<'_>, operator: &Operator) -> Result<(), Refusal> {
    let counts = operator.role == Role::Admin && !operator.disabled;
    if counts && store::operators::admins(turn.tx)? == 1 {
        let text = format!("{} is the last administrator.", operator.name);
        return Err(Refusal::conflict(text)
            .at("name")
            .next("Make somebody else an administrator first."));
    }
    Ok(())
}

/// Whoever shows the operators asks again.
fn changed(turn: &mut Turn<'_>, name: &OperatorName) -> Result<Receipt, Refusal> {
    turn.tell(Update::Plans);
    Ok(Receipt::Operator(known(turn, name)?))
}
