//! Writes a row of a table as PostgreSQL's wire has it.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{Field, IsNull, Kind, ToSql, Type};

/// What writing a value gives.
pub(crate) type Written = Result<IsNull, Box<dyn Error + Sync + Send>>;

/// Whether this is the type of a table whose first columns have these names.
pub(crate) fn begins_with(row: &Type, names: &[&str]) -> bool {
    fields(row).len() >= names.len()
        && fields(row).iter().map(Field::name).zip(names).all(|(name, known)| name == *known)
}

/// The values of a table's first columns. What it has besides is null.
pub(crate) fn write(row: &Type, values: &[&(dyn ToSql + Sync)], out: &mut BytesMut) -> Written {
    let fields = fields(row);
    out.extend_from_slice(&(fields.len() as u32).to_be_bytes());
    for (number, field) in fields.iter().enumerate() {
        out.extend_from_slice(&field.type_().oid().to_be_bytes());
        let start = out.len();
        out.extend_from_slice(&(-1_i32).to_be_bytes()); // is null
        let Some(value) = values.get(number) else { continue };
        if let IsNull::No = value.to_sql_checked(field.type_(), out)? {
            let length = i32::try_from(out.len() - start - 4)?;
            out[start..start + 4].copy_from_slice(&length.to_be_bytes());
        }
    }
    Ok(IsNull::No)
}

fn fields(row: &Type) -> &[Field] {
    match row.kind() {
        Kind::Composite(fields) => fields,
        _ => &[],
    }
}
