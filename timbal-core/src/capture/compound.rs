//! `Compound`: an array or object that is open, and valid whatever is done with it.

use serde::ser::{self, Error as _, Serialize};

use super::failure::Failure;
use super::writer::Writer;

type Done = Result<(), Failure>;

/// An array or object that is open.
pub(super) struct Compound<'w> {
    writer: Writer<'w>,
    state: State,
    /// The brackets that close it, one of each of its levels.
    close: &'static str,
}

#[derive(Clone, Copy)]
enum State {
    /// Nothing is in it.
    Empty,
    /// What is in it is complete.
    Filled,
    /// A key was written that has no value yet.
    Key,
    /// The same of a key that is masked.
    MaskedKey,
    /// It is the array or object of a variant, and is masked or too deep: a mark was written.
    LeftOut,
    /// JSON text is to come.
    Raw,
    /// JSON text has come.
    RawDone,
    /// Something was begun in it. This stays if a panic got away, or an error, and somebody's
    /// `Serialize` caught it: it is the end for this compound.
    Broken,
}

impl<'w> Compound<'w> {
    #[inline]
    pub(super) fn open(
        mut writer: Writer<'w>,
        bracket: &'static str,
        close: &'static str,
    ) -> Result<Self, Failure> {
        writer.open(bracket)?;
        Ok(Self { writer, state: State::Empty, close })
    }

    pub(super) fn raw(writer: Writer<'w>) -> Self {
        Self { writer, state: State::Raw, close: "" }
    }

    /// Opens the array or object of a variant, inside of the object that was opened for it.
    pub(super) fn variant(
        mut self,
        variant: &str,
        bracket: &'static str,
        close: &'static str,
    ) -> Self {
        self.writer.key(true, variant);
        self.state = State::LeftOut;
        if self.writer.is_masked(variant) {
            self.writer.mask();
        } else if self.writer.open_or_cut(bracket) {
            self.state = State::Empty;
            self.close = close;
        }
        self
    }

    #[inline]
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        match self.state {
            State::Empty => {}
            State::Filled => self.writer.text.push(","),
            State::LeftOut => return Ok(()),
            _ => return Err(broken_protocol()),
        }
        self.state = State::Broken;
        self.writer.value(value)?;
        self.state = State::Filled;
        Ok(())
    }

    #[inline]
    pub(super) fn field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Done {
        let is_first = match self.state {
            State::Empty => true,
            State::Filled => false,
            State::LeftOut => return Ok(()),
            State::Raw => return self.raw_field(value),
            _ => return Err(broken_protocol()),
        };
        self.state = State::Broken;
        self.writer.key(is_first, key);
        if self.writer.is_masked(key) {
            self.writer.mask();
        } else {
            self.writer.value(value)?;
        }
        self.state = State::Filled;
        Ok(())
    }

    fn raw_field<T: Serialize + ?Sized>(&mut self, json: &T) -> Done {
        self.state = State::Broken;
        self.writer.text.is_raw = true;
        json.serialize(self.writer.by_ref())?;
        self.writer.text.is_raw = false;
        self.state = State::RawDone;
        Ok(())
    }

    #[inline]
    pub(super) fn close(self) -> Done {
        if !matches!(self.state, State::Empty | State::Filled | State::LeftOut | State::RawDone) {
            return Err(broken_protocol());
        }
        self.writer.text.push(self.close);
        self.writer.text.levels.close(self.close);
        Ok(())
    }
}

#[cold]
fn broken_protocol() -> Failure {
    Failure::custom("`Serialize` does not keep to the protocol of serde")
}

impl ser::SerializeMap for Compound<'_> {
    type Ok = ();
    type Error = Failure;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Done {
        match self.state {
            State::Empty => {}
            State::Filled => self.writer.text.push(","),
            _ => return Err(broken_protocol()),
        }
        self.state = State::Broken;
        let start = self.writer.text.len();
        self.writer.value(key)?;
        self.writer.text.make_key(start);
        let is_masked = self.writer.is_masked_json(self.writer.text.key_from(start));
        self.writer.text.push(":");
        self.state = if is_masked { State::MaskedKey } else { State::Key };
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Done {
        let is_masked = match self.state {
            State::Key => false,
            State::MaskedKey => true,
            _ => return Err(broken_protocol()),
        };
        self.state = State::Broken;
        if is_masked {
            self.writer.mask();
        } else {
            self.writer.value(value)?;
        }
        self.state = State::Filled;
        Ok(())
    }

    fn end(self) -> Done {
        self.close()
    }
}

/// The traits of compounds that differ in their names only.
macro_rules! compounds {
    ($($compound:ident: $method:ident($($key:ident: $key_type:ty)?) = $write:ident,)*) => {$(
        impl ser::$compound for Compound<'_> {
            type Ok = ();
            type Error = Failure;

            #[inline]
            fn $method<T: Serialize + ?Sized>(&mut self, $($key: $key_type,)? value: &T) -> Done {
                self.$write($($key,)? value)
            }

            #[inline]
            fn end(self) -> Done {
                self.close()
            }
        }
    )*};
}

compounds! {
    SerializeSeq: serialize_element() = element,
    SerializeTuple: serialize_element() = element,
    SerializeTupleStruct: serialize_field() = element,
    SerializeTupleVariant: serialize_field() = element,
    SerializeStruct: serialize_field(key: &'static str) = field,
    SerializeStructVariant: serialize_field(key: &'static str) = field,
}
