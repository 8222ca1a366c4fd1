//! The shapes of serde's data model, as `serde_json` writes them.

use std::fmt::{self, Write as _};
use std::io;

use serde::ser::{Error as _, Serialize, Serializer};
use serde_json::ser::{CompactFormatter, Formatter};

use super::compound::Compound;
use super::failure::Failure;
use super::raw::{RAW_NUMBER, RAW_VALUE};
use super::writer::Writer;

type Done = Result<(), Failure>;

/// Methods for numbers, which differ in their type only.
macro_rules! integers {
    ($($method:ident: $number:ty,)*) => {$(
        #[inline]
        fn $method(self, value: $number) -> Done {
            match value {
                0..=9 => self.text.push(digit(value as usize)),
                _ => self.text.push(itoa::Buffer::new().format(value)),
            }
            Ok(())
        }
    )*};
}

/// The number, which has one digit, as text: with that no call is made, where a longer one takes two.
#[inline]
fn digit(number: usize) -> &'static str {
    &"0123456789"[number..=number]
}

/// Keys of maps are written by it too, then [`Text::make_key`](super::text::Text::make_key) makes
/// strings of those that are none.
impl<'w> Serializer for Writer<'w> {
    type Ok = ();
    type Error = Failure;
    type SerializeSeq = Compound<'w>;
    type SerializeTuple = Compound<'w>;
    type SerializeTupleStruct = Compound<'w>;
    type SerializeTupleVariant = Compound<'w>;
    type SerializeMap = Compound<'w>;
    type SerializeStruct = Compound<'w>;
    type SerializeStructVariant = Compound<'w>;

    integers! {
        serialize_i8: i8,
        serialize_i16: i16,
        serialize_i32: i32,
        serialize_i64: i64,
        serialize_i128: i128,
        serialize_u8: u8,
        serialize_u16: u16,
        serialize_u32: u32,
        serialize_u64: u64,
        serialize_u128: u128,
    }

    #[inline]
    fn serialize_bool(self, value: bool) -> Done {
        self.text.push(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Done {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        CompactFormatter.write_f32(&mut Digits(self), value).map_err(Failure::custom)
    }

    fn serialize_f64(self, value: f64) -> Done {
        if !value.is_finite() {
            return self.serialize_unit();
        }
        CompactFormatter.write_f64(&mut Digits(self), value).map_err(Failure::custom)
    }

    fn serialize_char(self, value: char) -> Done {
        self.text.string(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    #[inline]
    fn serialize_str(mut self, value: &str) -> Done {
        if self.text.is_raw {
            return self.raw(value);
        }
        self.text.string(value);
        Ok(())
    }

    fn collect_str<T: fmt::Display + ?Sized>(mut self, value: &T) -> Done {
        self.text.push("\"");
        write!(Parts(self.by_ref()), "{value}").map_err(Failure::custom)?;
        self.text.push("\"");
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Done {
        self.collect_seq(value)
    }

    #[inline]
    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_some<T: Serialize + ?Sized>(mut self, value: &T) -> Done {
        self.nest("")?;
        value.serialize(self.by_ref())?;
        self.text.levels.leave();
        Ok(())
    }

    #[inline]
    fn serialize_unit(self) -> Done {
        self.text.push("null");
        Ok(())
    }

    #[inline]
    fn serialize_unit_struct(self, _name: &'static str) -> Done {
        self.serialize_unit()
    }

    #[inline]
    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Done {
        self.text.string(variant);
        Ok(())
    }

    #[inline]
    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        value: &T,
    ) -> Done {
        self.serialize_some(value)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Done {
        let mut object = Compound::open(self, "{", "}")?;
        object.field(variant, value)?;
        object.close()
    }

    #[inline]
    fn serialize_seq(self, _len: Option<usize>) -> Result<Compound<'w>, Failure> {
        Compound::open(self, "[", "]")
    }

    #[inline]
    fn serialize_tuple(self, _len: usize) -> Result<Compound<'w>, Failure> {
        Compound::open(self, "[", "]")
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        _len: usize,
    ) -> Result<Compound<'w>, Failure> {
        Compound::open(self, "[", "]")
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w>, Failure> {
        Ok(Compound::open(self, "{", "}")?.variant(variant, "[", "]}"))
    }

    #[inline]
    fn serialize_map(self, _len: Option<usize>) -> Result<Compound<'w>, Failure> {
        Compound::open(self, "{", "}")
    }

    #[inline]
    fn serialize_struct(self, name: &'static str, _len: usize) -> Result<Compound<'w>, Failure> {
        if name == RAW_VALUE || name == RAW_NUMBER {
            return Ok(Compound::raw(self));
        }
        Compound::open(self, "{", "}")
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        _len: usize,
    ) -> Result<Compound<'w>, Failure> {
        Ok(Compound::open(self, "{", "}")?.variant(variant, "{", "}}"))
    }
}

/// Takes the digits of a number as `serde_json` writes them.
struct Digits<'w>(Writer<'w>);

impl io::Write for Digits<'_> {
    fn write(&mut self, digits: &[u8]) -> io::Result<usize> {
        self.write_all(digits)?;
        Ok(digits.len())
    }

    #[inline]
    fn write_all(&mut self, digits: &[u8]) -> io::Result<()> {
        self.0.text.push(str::from_utf8(digits).map_err(io::Error::other)?);
        Ok(())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Takes the parts of a string as a `Display` writes them.
struct Parts<'w>(Writer<'w>);

impl fmt::Write for Parts<'_> {
    fn write_str(&mut self, part: &str) -> fmt::Result {
        if self.0.text.is_full() && self.0.count().is_err() {
            return Err(fmt::Error);
        }
        self.0.text.string_part(part);
        Ok(())
    }
}
