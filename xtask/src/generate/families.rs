//! The files beside the messages: the modules, the API keys, the families of stored records, the catalogue.

use std::fmt::Write;

use super::message::capitalized;
use super::{Family, HEADER};
use crate::names::snake_case;
use crate::schema::{Kind, Message};

/// `messages/mod.rs`.
pub fn root_module(families: &[Family]) -> String {
    let mut out = format!(
        "{HEADER}\n//! Every message of the wire and of the logs.\n//!\n\
         //! A module for each message holds its structs; the message itself is also here by name.\n\n\
         pub mod api_key;\npub mod catalogue;\n"
    );
    for family in families.iter().filter(|family| !family.is_flat()) {
        let _ = writeln!(out, "pub mod {};", family.name);
    }
    out.push('\n');
    for family in families.iter().filter(|family| family.is_flat()) {
        modules(&mut out, family);
        out.push('\n');
    }
    out
}

fn modules(out: &mut String, family: &Family) {
    for message in &family.messages {
        let _ = writeln!(out, "pub mod {};", snake_case(&message.name));
    }
    for message in &family.messages {
        let _ = writeln!(
            out,
            "pub use {}::{};",
            snake_case(&message.name),
            message.name
        );
    }
}

/// `messages/FAMILY/mod.rs`.
pub fn family_module(family: &Family) -> String {
    let mut out = format!(
        "{HEADER}\n//! The stored records of the family `{}`.\n\n",
        family.name
    );
    modules(&mut out, family);
    let of_kind = |kind| {
        family
            .messages
            .iter()
            .filter(move |message: &&Message| message.kind == kind)
    };
    let prefix: String = family.name.split('_').map(capitalized).collect();
    table(
        &mut out,
        "framed_records",
        &format!("{prefix}Record"),
        "Record",
        of_kind(Kind::Metadata),
    );
    table(
        &mut out,
        "coordinator_keys",
        &format!("{prefix}RecordKey"),
        "Key",
        of_kind(Kind::CoordinatorKey),
    );
    table(
        &mut out,
        "coordinator_values",
        &format!("{prefix}RecordValue"),
        "Value",
        of_kind(Kind::CoordinatorValue),
    );
    out
}

/// An invocation of one of the macros of `wire::stored`, if there are records of its kind.
fn table<'a>(
    out: &mut String,
    macro_name: &str,
    name: &str,
    suffix: &str,
    messages: impl Iterator<Item = &'a Message>,
) {
    let mut messages: Vec<&Message> = messages.collect();
    if messages.is_empty() {
        return;
    }
    messages.sort_by_key(|message| message.api_key);
    let _ = writeln!(
        out,
        "\ncrate::wire::stored::{macro_name}! {{\n    {name} {{"
    );
    for message in messages {
        let variant = message.name.strip_suffix(suffix).unwrap_or(&message.name);
        let _ = writeln!(
            out,
            "        {} => {variant}({}),",
            message.api_key.unwrap_or_default(),
            message.name
        );
    }
    out.push_str("    }\n}\n");
}

/// `messages/api_key.rs`.
pub fn api_keys(families: &[Family]) -> String {
    let wire = families
        .iter()
        .filter(|family| family.name == "wire")
        .flat_map(|family| &family.messages);
    let mut requests: Vec<&Message> = wire
        .filter(|message| message.kind == Kind::Request)
        .collect();
    requests.sort_by_key(|message| message.api_key);
    let mut out = format!(
        "{HEADER}\n//! The table of APIs.\n\ncrate::wire::api_table::api_keys! {{\n\
         \x20   // variant = key, versions, newest stable version, first flexible version, listeners\n"
    );
    for request in requests {
        let name = request
            .name
            .strip_suffix("Request")
            .unwrap_or(&request.name);
        let stable = request.versions.highest - i16::from(request.latest_version_unstable);
        let flexible = match request.flexible.is_empty() {
            true => "i16::MAX".to_owned(),
            false => request.flexible.lowest.to_string(),
        };
        let serves = |listener: &str| request.listeners.iter().any(|known| known == listener);
        let _ = writeln!(
            out,
            "    {name} = {}, {}..={}, {stable}, {flexible}, broker: {}, controller: {};",
            request.api_key.unwrap_or_default(),
            request.versions.lowest,
            request.versions.highest,
            serves("broker"),
            serves("controller"),
        );
    }
    out.push_str("}\n");
    out
}

/// `messages/catalogue.rs`.
pub fn catalogue(families: &[Family]) -> String {
    let mut out = format!(
        "{HEADER}\n//! Every message by name, for tools and tests that handle all of them alike.\n\n\
         use crate::wire::catalogue::Entry;\n\n\
         /// Every message, family by family and then by name.\npub static MESSAGES: &[Entry] = &[\n"
    );
    for family in families {
        let module = if family.is_flat() {
            String::new()
        } else {
            format!("{}::", family.name)
        };
        for message in &family.messages {
            let _ = writeln!(out, "Entry::of::<super::{module}{}>(),", message.name);
        }
    }
    out.push_str("];\n");
    out
}
