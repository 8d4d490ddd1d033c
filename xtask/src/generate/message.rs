//! One file for each message.

use std::fmt::Write;

use super::model::{Condition, FieldModel, StructModel, condition, structs};
use super::{GenerateError, HEADER, codec};
use crate::schema::{Kind, Message, Type, Versions};

/// What generated code may import besides what every file needs from `crate::wire`.
const IMPORTS: [&str; 3] = ["bytes::Bytes", "crate::ApiKey", "crate::uuid::Uuid"];

/// What generated code may import from `crate::wire`.
const WIRE_IMPORTS: [&str; 18] = [
    "DecodeError",
    "Element",
    "EncodeError",
    "Message",
    "RawTaggedField",
    "Reader",
    "Records",
    "Request",
    "Writer",
    "read_array",
    "read_nullable_array",
    "read_nullable_struct",
    "read_tagged_nullable_struct",
    "required",
    "write_array",
    "write_nullable_array",
    "write_nullable_struct",
    "write_tagged_nullable_struct",
];

/// A part of a message with at most this many fields is read in line: moving it would cost more than reading it.
const MAX_INLINED_FIELDS: usize = 3;

/// The file of `message`.
pub fn generate(message: &Message) -> Result<String, GenerateError> {
    let models = structs(message)?;
    let mut body = String::new();
    for model in &models {
        struct_definition(&mut body, model);
        codec_impl(&mut body, model, min_size(message, &models, model)?);
    }
    message_impl(&mut body, message);
    let mut out = format!(
        "{HEADER}\n//! `{}`: {}.\n\n",
        message.name,
        summary(message)
    );
    for path in IMPORTS {
        if path
            .rsplit("::")
            .next()
            .is_some_and(|name| uses(&body, name))
        {
            let _ = writeln!(out, "use {path};");
        }
    }
    let wire: Vec<&str> = WIRE_IMPORTS
        .into_iter()
        .filter(|name| uses(&body, name))
        .collect();
    let _ = writeln!(out, "use crate::wire::{{{}}};\n", wire.join(", "));
    out.push_str(&body);
    Ok(out)
}

/// Whether `code` uses `name` as a whole word, and not as a field.
fn uses(code: &str, name: &str) -> bool {
    let is_word = |c: char| c.is_alphanumeric() || c == '_';
    let lines = code.lines().filter(|line| !line.starts_with("///"));
    let code: String = lines.flat_map(|line| [line, "\n"]).collect();
    code.match_indices(name).any(|(start, _)| {
        let (before, after) = (&code[..start], &code[start + name.len()..]);
        let in_word = before.ends_with(is_word) || after.starts_with(is_word);
        let is_field = before.ends_with('.') || after.starts_with(": ");
        !in_word && !is_field
    })
}

fn summary(message: &Message) -> String {
    let key = message.api_key.unwrap_or_default();
    let what = match message.kind {
        Kind::Request => format!("the request of API {key}"),
        Kind::Response => format!("the response of API {key}"),
        Kind::Header => "a header".to_owned(),
        Kind::Data => "data".to_owned(),
        Kind::Metadata => format!("record type {key} of a metadata log"),
        Kind::CoordinatorKey => format!("the key of a coordinator's record of type {key}"),
        Kind::CoordinatorValue => format!("the value of a coordinator's record of type {key}"),
    };
    format!(
        "{what}, versions {}, flexible versions {}",
        message.versions, message.flexible
    )
}

fn struct_definition(out: &mut String, model: &StructModel) {
    let derives_default = model
        .fields
        .iter()
        .all(|field| is_rust_default(&field.default));
    let default = if derives_default { ", Default" } else { "" };
    if model.name == model.message.name {
        let _ = writeln!(out, "/// {}.", capitalized(&summary(model.message)));
    } else {
        let _ = writeln!(out, "/// Part of [`{}`].", model.message.name);
    }
    let shown = is_shown(model.message);
    let (serialize, skip) = match shown {
        true => (", serde::Serialize", "#[serde(skip)]\n"),
        false => ("", ""),
    };
    let _ = writeln!(
        out,
        "#[derive(Clone, Debug, PartialEq{default}{serialize})]"
    );
    if shown {
        out.push_str("#[serde(rename_all = \"camelCase\")]\n");
    }
    let _ = writeln!(out, "pub struct {} {{", model.name);
    for field in &model.fields {
        let _ = writeln!(out, "/// {}", field_doc(field));
        if let (true, Some(function)) = (shown, json_function(field)) {
            let _ = writeln!(
                out,
                "#[serde(serialize_with = \"crate::wire::json::{function}\")]"
            );
        }
        let _ = writeln!(out, "pub {}: {},", field.name, field.rust_type());
    }
    let _ = writeln!(
        out,
        "/// Tagged fields that the schema does not declare.\n{skip}\
         pub unknown_tagged_fields: Vec<RawTaggedField>,\n}}\n"
    );
    if derives_default {
        return;
    }
    let _ = writeln!(
        out,
        "impl Default for {} {{\nfn default() -> Self {{\nSelf {{",
        model.name
    );
    for field in &model.fields {
        let _ = writeln!(out, "{}: {},", field.name, field.default);
    }
    out.push_str("unknown_tagged_fields: Vec::new(),\n}\n}\n}\n\n");
}

/// Whether `ottla log dump` shows the message as JSON: it is stored in a log or a file.
fn is_shown(message: &Message) -> bool {
    !matches!(message.kind, Kind::Request | Kind::Response | Kind::Header)
}

/// The function that writes a field as JSON which has no JSON form of its own.
fn json_function(field: &FieldModel) -> Option<&'static str> {
    match (&field.schema.field_type, field.is_option()) {
        (Type::Bytes, false) => Some("bytes"),
        (Type::Bytes, true) => Some("nullable_bytes"),
        _ => None,
    }
}

/// The text with its first letter in upper case.
pub fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map(|first| first.to_uppercase().chain(characters).collect())
        .unwrap_or_default()
}

/// Whether a default is what `#[derive(Default)]` gives.
fn is_rust_default(expression: &str) -> bool {
    matches!(
        expression,
        "0" | "0.0"
            | "false"
            | "None"
            | "String::new()"
            | "Vec::new()"
            | "Bytes::new()"
            | "Uuid::ZERO"
    ) || expression.ends_with("::default()")
}

/// What the schema says about a field.
fn field_doc(field: &FieldModel) -> String {
    let schema = field.schema;
    let mut doc = format!(
        "`{}` {}",
        schema.name,
        schema.field_type.to_string().replace("[]", "array of ")
    );
    if let Some(entity) = &schema.entity {
        let _ = write!(doc, " ({entity})");
    }
    let _ = write!(doc, ", versions {}", schema.versions);
    if !field.nullable.is_empty() {
        let _ = write!(doc, ", nullable {}", schema.nullable);
    }
    if let Some((tag, versions)) = field.tag {
        let _ = write!(doc, ", tag {tag} in {versions}");
    }
    if let Some(default) = &schema.default {
        let _ = write!(
            doc,
            ", default {}",
            if default.is_empty() { "empty" } else { default }
        );
    }
    if schema.ignorable {
        doc.push_str(", ignorable");
    }
    doc.push('.');
    doc
}

fn codec_impl(out: &mut String, model: &StructModel, min_size: usize) {
    let read = codec::read_body(model);
    let write = codec::write_body(model);
    let is_small = model.fields.len() <= MAX_INLINED_FIELDS && model.name != model.message.name;
    let inline = if is_small { "#[inline]\n" } else { "" };
    let argument = |name: &str, body: &str| {
        if uses(body, name) {
            name.to_owned()
        } else {
            format!("_{name}")
        }
    };
    let _ = writeln!(
        out,
        "impl Element for {} {{\nconst MIN_SIZE: usize = {min_size};\n\n\
         {inline}fn read({}: &mut Reader, {}: i16, {}: bool) -> Result<Self, DecodeError> {{\n{read}\n}}\n\n\
         fn write(&self, {}: &mut Writer, {}: i16, {}: bool) -> Result<(), EncodeError> {{\n\
         {write}\n}}\n}}\n",
        model.name,
        argument("r", &read),
        argument("version", &read),
        argument("flexible", &read),
        argument("w", &write),
        argument("version", &write),
        argument("flexible", &write),
    );
}

fn message_impl(out: &mut String, message: &Message) {
    let flexible = message.flexible.intersect(message.versions);
    let flexible = match flexible.is_empty() {
        true => "i16::MAX".to_owned(),
        false => message.flexible.lowest.to_string(),
    };
    let _ = writeln!(
        out,
        "impl Message for {0} {{\nconst NAME: &'static str = {0:?};\nconst MIN_VERSION: i16 = {1};\n\
         const MAX_VERSION: i16 = {2};\nconst FIRST_FLEXIBLE_VERSION: i16 = {flexible};\n}}\n",
        message.name, message.versions.lowest, message.versions.highest
    );
    if let (Kind::Request, Some(api)) = (message.kind, message.name.strip_suffix("Request")) {
        let module = crate::names::snake_case(api);
        let _ = writeln!(
            out,
            "impl Request for {api}Request {{\nconst API_KEY: ApiKey = ApiKey::{api};\n\
             type Response = super::{module}_response::{api}Response;\n}}"
        );
    }
}

/// The fewest bytes the struct takes in any version.
fn min_size(
    message: &Message,
    models: &[StructModel],
    model: &StructModel,
) -> Result<usize, GenerateError> {
    let versions = model.context.lowest..=model.context.highest;
    let size = versions
        .map(|version| struct_size(message, models, model, version))
        .min()
        .unwrap_or(0);
    if size == 0 && model.name != message.name {
        return Err(GenerateError::EmptyElement {
            message: message.name.clone(),
            name: model.name.to_owned(),
        });
    }
    Ok(size.max(1))
}

fn struct_size(
    message: &Message,
    models: &[StructModel],
    model: &StructModel,
    version: i16,
) -> usize {
    let single = Versions {
        lowest: version,
        highest: version,
    };
    let present = |field: &&FieldModel| condition(field.plain, single) == Condition::Always;
    let fields = model.fields.iter().filter(present).map(|field| {
        let flexible = message.flexible.contains(version) && !field.schema.never_flexible;
        match &field.schema.field_type {
            Type::Bool | Type::Int8 => 1,
            Type::Int16 | Type::Uint16 => 2,
            Type::Int32 | Type::Uint32 => 4,
            Type::Int64 | Type::Float64 => 8,
            Type::Uuid => 16,
            Type::String | Type::Bytes | Type::Records | Type::Array(_) if flexible => 1,
            Type::String => 2,
            Type::Bytes | Type::Records | Type::Array(_) => 4,
            Type::Struct(_) if field.is_option() => 1,
            Type::Struct(name) => models
                .iter()
                .find(|known| known.name == name)
                .map_or(0, |nested| struct_size(message, models, nested, version)),
        }
    });
    fields.sum::<usize>() + usize::from(message.flexible.contains(version))
}
