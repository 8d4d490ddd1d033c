//! The bodies of `read` and `write`.

use std::fmt::Write;

use super::model::{Condition, FieldModel, StructModel, condition, outside};
use crate::schema::{Type, Versions};

/// The argument that says that a tagged field is in the flexible encoding, as they all are.
const TAGGED: &str = "true";

/// The names that a body of `read` uses itself.
const TAKEN: [&str; 5] = ["r", "version", "flexible", "tag", "size"];

/// The body of `read`.
pub fn read_body(model: &StructModel) -> String {
    let mut out = String::new();
    for field in &model.fields {
        let value = read_value(field, field.plain, flexible(field));
        let value = match condition(field.plain, model.context) {
            Condition::Always => value,
            Condition::Never => field.default.clone(),
            Condition::If(condition) => {
                format!("if {condition} {{ {value} }} else {{ {} }}", field.default)
            }
        };
        let mutable = if field.tag.is_some() { "mut " } else { "" };
        let _ = writeln!(out, "let {mutable}{} = {value};", local_name(field));
    }
    if model.message.flexible.is_empty() {
        out.push_str("let unknown_tagged_fields = Vec::new();\n");
    } else {
        out.push_str(&read_tagged(model));
    }
    out.push_str("Ok(Self {\n");
    for field in &model.fields {
        let local = local_name(field);
        if local == field.name {
            let _ = writeln!(out, "{local},");
        } else {
            let _ = writeln!(out, "{}: {local},", field.name);
        }
    }
    out.push_str("unknown_tagged_fields,\n})");
    out
}

/// The local variable of a field in `read`.
fn local_name(field: &FieldModel) -> String {
    match TAKEN.contains(&field.name.as_str()) {
        true => format!("{}_field", field.name),
        false => field.name.clone(),
    }
}

fn read_tagged(model: &StructModel) -> String {
    let mut arms = String::new();
    for field in &model.fields {
        let Some((tag, versions)) = field.tag else {
            continue;
        };
        let guard = match tagged_condition(model, versions) {
            Condition::If(condition) => format!(" if {condition}"),
            _ => String::new(),
        };
        let value = read_value(field, versions, TAGGED);
        let _ = writeln!(arms, "{tag}{guard} => {} = {value},", local_name(field));
    }
    if arms.is_empty() {
        return "let unknown_tagged_fields = r.tagged_fields(flexible)?;\n".into();
    }
    format!(
        "let mut unknown_tagged_fields = Vec::new();\n if flexible {{\n\
         for _ in 0..r.uvarint()? {{\n let (tag, size) = r.tag()?;\n match tag {{\n {arms}\
         _ => unknown_tagged_fields.push(r.raw_tagged_field(tag, size)?),\n }}\n }}\n }}\n"
    )
}

/// The condition for a tagged field, where the message is known to be flexible.
fn tagged_condition(model: &StructModel, versions: Versions) -> Condition {
    condition(versions, model.context.intersect(model.message.flexible))
}

/// The argument that says whether a field is in the flexible encoding.
fn flexible(field: &FieldModel) -> &'static str {
    if field.schema.never_flexible {
        "false"
    } else {
        "flexible"
    }
}

/// An expression that reads the field in any of `versions`; `flexible` is [`TAGGED`] for a tagged field.
fn read_value(field: &FieldModel, versions: Versions, flexible: &str) -> String {
    let plain = format!("{}?", read_call(&field.schema.field_type, flexible));
    if !field.is_option() {
        return plain;
    }
    let not_null = match &field.schema.field_type {
        Type::Struct(_) => format!("Some(Box::new({plain}))"),
        Type::Records => format!("Some(r.non_null_records({flexible})?)"),
        _ => format!("Some({plain})"),
    };
    let nullable = format!(
        "{}?",
        read_nullable_call(&field.schema.field_type, flexible)
    );
    match condition(field.nullable, versions) {
        Condition::Always => nullable,
        Condition::Never => not_null,
        Condition::If(condition) => {
            format!("if {condition} {{ {nullable} }} else {{ {not_null} }}")
        }
    }
}

fn read_call(field_type: &Type, flexible: &str) -> String {
    match field_type {
        Type::Bool => "r.bool()".into(),
        Type::Int8 => "r.i8()".into(),
        Type::Int16 => "r.i16()".into(),
        Type::Uint16 => "r.u16()".into(),
        Type::Int32 => "r.i32()".into(),
        Type::Uint32 => "r.u32()".into(),
        Type::Int64 => "r.i64()".into(),
        Type::Float64 => "r.f64()".into(),
        Type::Uuid => "r.uuid()".into(),
        Type::String => format!("r.string({flexible})"),
        Type::Bytes => format!("r.bytes({flexible})"),
        Type::Records => format!("r.non_null_records({flexible})"),
        Type::Struct(name) => format!("{name}::read(r, version, {flexible})"),
        Type::Array(_) => format!("read_array(r, version, {flexible})"),
    }
}

fn read_nullable_call(field_type: &Type, flexible: &str) -> String {
    match field_type {
        Type::String => format!("r.nullable_string({flexible})"),
        Type::Bytes => format!("r.nullable_bytes({flexible})"),
        Type::Records => format!("r.records({flexible})"),
        Type::Struct(_) if flexible == TAGGED => {
            format!("read_tagged_nullable_struct(r, version, {flexible})")
        }
        Type::Struct(_) => format!("read_nullable_struct(r, version, {flexible})"),
        Type::Array(_) => format!("read_nullable_array(r, version, {flexible})"),
        fixed => read_call(fixed, flexible),
    }
}

/// The body of `write`.
pub fn write_body(model: &StructModel) -> String {
    let mut out = String::new();
    for field in &model.fields {
        let write = write_value(field, field.plain, flexible(field));
        let present = condition(field.plain, model.context);
        let absent = absent_error(field);
        match (present, absent, field.tag) {
            (Condition::Always, _, _) => out.push_str(&write),
            (Condition::If(condition), Some(absent), None) => {
                let _ = write!(out, "if {condition} {{ {write} }} else {absent}");
            }
            (Condition::If(condition), _, _) => {
                let _ = write!(out, "if {condition} {{ {write} }}");
            }
            (Condition::Never, _, _) => {}
        }
        if !field.plain.is_empty() {
            out.push('\n');
        }
        if let Some((_, tagged)) = field.tag {
            out.push_str(&tagged_presence(model, field, tagged));
        }
    }
    if !model.message.flexible.is_empty() {
        let _ = writeln!(out, "if flexible {{ {} }}", write_tagged(model));
    }
    out.push_str("Ok(())");
    out
}

/// An `if` that fails when a field is set that the version lacks; `None` if that is no error.
fn absent_error(field: &FieldModel) -> Option<String> {
    (!field.schema.ignorable).then(|| {
        format!(
            "if {} {{ return Err(EncodeError::FieldNotInVersion {{ field: {:?}, version }}); }}",
            is_set(field),
            field.path
        )
    })
}

/// Binds `has_FIELD`, and fails where the field is set in a version that has it neither way.
fn tagged_presence(model: &StructModel, field: &FieldModel, tagged: Versions) -> String {
    let set = is_set(field);
    let name = field.name.trim_end_matches('_');
    let either = Versions {
        lowest: if field.plain.is_empty() {
            tagged.lowest
        } else {
            field.plain.lowest
        },
        highest: tagged.highest,
    };
    let present = match condition(tagged, model.context) {
        Condition::If(condition) => format!("{condition} && {set}"),
        _ => set,
    };
    let mut out = format!("let has_{name} = {present};\n");
    if let (Some(outside), Some(error)) = (outside(either, model.context), absent_error(field)) {
        let set = error.trim_start_matches("if ");
        let _ = writeln!(out, "if {outside} && {set}");
    }
    out
}

fn write_tagged(model: &StructModel) -> String {
    let tagged: Vec<_> = model
        .fields
        .iter()
        .filter_map(|field| Some((field, field.tag?)))
        .collect();
    let counts: Vec<String> = tagged
        .iter()
        .map(|(field, _)| format!("u32::from(has_{})", field.name.trim_end_matches('_')))
        .collect();
    let declared = if counts.is_empty() {
        "0".to_owned()
    } else {
        counts.join(" + ")
    };
    let mut out = format!("w.put_tagged_fields_count({declared}, &self.unknown_tagged_fields)?;\n");
    let mut in_order = tagged;
    in_order.sort_by_key(|(_, (tag, _))| *tag);
    for (field, (tag, versions)) in in_order {
        let write = write_value(field, versions, TAGGED);
        let name = field.name.trim_end_matches('_');
        let _ = writeln!(
            out,
            "if has_{name} {{ let field = w.begin_tagged({tag}); {write} w.end_tagged(field); }}"
        );
    }
    out.push_str("w.put_raw_tagged_fields(&self.unknown_tagged_fields)?;\n");
    out
}

/// A condition that holds when the field's value is not its default.
fn is_set(field: &FieldModel) -> String {
    let value = format!("self.{}", field.name);
    let default = field.default.as_str();
    if default == "None" {
        return format!("{value}.is_some()");
    }
    if let Some(plain) = default
        .strip_prefix("Some(")
        .and_then(|rest| rest.strip_suffix(')'))
    {
        return match &field.schema.field_type {
            Type::String if plain == "String::new()" => format!("{value}.as_deref() != Some(\"\")"),
            Type::Bytes | Type::Array(_) => {
                format!("{value}.as_ref().is_none_or(|value| !value.is_empty())")
            }
            _ => format!("{value} != {default}"),
        };
    }
    match &field.schema.field_type {
        Type::Bool if default == "false" => value,
        Type::Bool => format!("!{value}"),
        Type::String if default == "String::new()" => format!("!{value}.is_empty()"),
        Type::String => format!(
            "{value} != {}",
            default
                .trim_start_matches("String::from(")
                .trim_end_matches(')')
        ),
        Type::Bytes | Type::Array(_) => format!("!{value}.is_empty()"),
        _ => format!("{value} != {default}"),
    }
}

/// A statement that writes the field in any of `versions`.
fn write_value(field: &FieldModel, versions: Versions, flexible: &str) -> String {
    let value = format!("self.{}", field.name);
    let field_type = &field.schema.field_type;
    if !field.is_option() {
        return write_call(field_type, &value, &format!("&{value}"), flexible);
    }
    let option = match field_type {
        Type::String | Type::Array(_) | Type::Struct(_) => format!("{value}.as_deref()"),
        _ => format!("{value}.as_ref()"),
    };
    let required = format!("required({option}, {:?}, version)?", field.path);
    let not_null = write_call(field_type, &required, &required, flexible);
    let nullable = write_nullable_call(field_type, &option, flexible);
    match condition(field.nullable, versions) {
        Condition::Always => nullable,
        Condition::Never => not_null,
        Condition::If(condition) => {
            format!("if {condition} {{ {nullable} }} else {{ {not_null} }}")
        }
    }
}

fn write_call(field_type: &Type, value: &str, reference: &str, flexible: &str) -> String {
    match field_type {
        Type::Bool => format!("w.put_bool({value});"),
        Type::Int8 => format!("w.put_i8({value});"),
        Type::Int16 => format!("w.put_i16({value});"),
        Type::Uint16 => format!("w.put_u16({value});"),
        Type::Int32 => format!("w.put_i32({value});"),
        Type::Uint32 => format!("w.put_u32({value});"),
        Type::Int64 => format!("w.put_i64({value});"),
        Type::Float64 => format!("w.put_f64({value});"),
        Type::Uuid => format!("w.put_uuid({value});"),
        Type::String => format!("w.put_string({reference}, {flexible})?;"),
        Type::Bytes => format!("w.put_bytes({reference}, {flexible})?;"),
        Type::Records => format!("w.put_records({reference}, {flexible})?;"),
        Type::Struct(_) => format!("{value}.write(w, version, {flexible})?;"),
        Type::Array(_) => format!("write_array({reference}, w, version, {flexible})?;"),
    }
}

fn write_nullable_call(field_type: &Type, option: &str, flexible: &str) -> String {
    match field_type {
        Type::String => format!("w.put_nullable_string({option}, {flexible})?;"),
        Type::Bytes => format!("w.put_nullable_bytes({option}, {flexible})?;"),
        Type::Records => format!("w.put_nullable_records({option}, {flexible})?;"),
        Type::Struct(_) if flexible == TAGGED => {
            format!("write_tagged_nullable_struct({option}, w, version, {flexible})?;")
        }
        Type::Struct(_) => format!("write_nullable_struct({option}, w, version, {flexible})?;"),
        Type::Array(_) => format!("write_nullable_array({option}, w, version, {flexible})?;"),
        fixed => write_call(fixed, option, option, flexible),
    }
}
