//! `Made`: a call before its first poll, and what is asked of it until then.

use std::sync::Arc;

use crate::capture::{self, Captured};
use crate::definition::Defined;
use crate::held::{self, Held};
use crate::installed::IS_RECORDING;
use crate::intake::Intake;
use crate::open_call::OpenCall;
use crate::path::Path;
use crate::reader::{Reader, Readers};
use crate::run::{Origin, Run};
use crate::{Definition, Payload, current, installed};

/// A call before its first poll.
pub(crate) struct Made {
    definition: &'static Defined,
    /// The call in which it was made.
    parent: Option<Arc<OpenCall>>,
    settings: Option<Box<Settings>>,
}

/// What was asked for before the first poll. Most calls ask for nothing.
#[derive(Default)]
pub(crate) struct Settings {
    pub(crate) name: Option<Arc<String>>,
    /// Where the run comes from, if the call is to be the first of one.
    pub(crate) origin: Option<Origin>,
    pub(crate) recorder: Option<Arc<Intake>>,
    pub(crate) metadata: Vec<(String, Payload)>,
    pub(crate) reader: Option<Reader>,
    /// The input, where the body cannot say it.
    pub(crate) input: Option<Captured>,
    /// The handle wants to look at the record when the call has ended.
    pub(crate) is_kept: bool,
}

impl Made {
    /// A call of this runnable, made here and now.
    #[inline]
    pub(crate) fn new(definition: &'static Defined) -> Self {
        Self { definition, parent: current::shared(), settings: None }
    }

    /// The call in which it was made.
    pub(crate) fn parent(&self) -> Option<&OpenCall> {
        self.parent.as_deref()
    }

    /// The recorder that was asked for.
    pub(crate) fn recorder(&self) -> Option<&Intake> {
        self.settings.as_deref()?.recorder.as_deref()
    }

    /// Whether it knows nothing but its definition.
    #[inline]
    pub(crate) fn is_blank(&self) -> bool {
        self.parent.is_none() && self.settings.is_none()
    }

    /// What is asked for.
    pub(crate) fn settings(&mut self) -> &mut Settings {
        self.settings.get_or_insert_default()
    }

    /// Whether its handle wants to look at its record when it has ended.
    #[inline]
    pub(crate) fn is_kept(&self) -> bool {
        self.settings.as_deref().is_some_and(|settings| settings.is_kept)
    }

    /// Without a parent, an installed recorder or a wish of its own, nobody hears of the call.
    #[inline]
    pub(crate) fn is_unheard(&self) -> bool {
        let asked = || self.settings.as_deref().is_some_and(Settings::is_heard);
        self.parent.is_none() && !installed::is_installed() && !asked()
    }

    /// The readers of the calls above.
    #[inline]
    pub(crate) fn readers_above(&self) -> Option<&Readers> {
        let apart = self.settings.as_deref().is_some_and(Settings::is_apart);
        let parent = self.parent.as_deref().filter(|_| !apart);
        parent.and_then(|parent| parent.readers.as_deref())
    }

    /// The call starts.
    #[inline]
    pub(crate) fn begin(&mut self) -> Held {
        match (&self.parent, &self.settings) {
            (Some(parent), None) => {
                let mut frame = held::frame(self.definition);
                frame.start(self.definition, parent.next(), (parent.readers.is_some(), false));
                if parent.readers.is_some() {
                    frame.readers = parent.readers.clone();
                }
                frame.parent = self.parent.take();
                Held::Own(frame)
            }
            (None, None) => self.begin_root(),
            (_, Some(_)) => self.begin_with(),
        }
    }

    #[inline(never)] // most calls are the first of no run
    fn begin_root(&self) -> Held {
        let run = new_run(Origin::OWN, installed::installed(), || self.definition.into());
        let mut frame = held::frame(self.definition);
        frame.start(self.definition, (&run, 0, run.t0), (false, false));
        frame.run = Some(run);
        Held::Own(frame)
    }

    #[cold]
    #[inline(never)]
    fn begin_with(&mut self) -> Held {
        let (parent, settings) = (self.parent.take(), self.settings.take().unwrap_or_default());
        let apart = settings.is_apart();
        let Settings { name, origin, recorder, metadata, reader, input, is_kept } = *settings;
        let surrounding = parent.as_ref().and_then(|parent| parent.run().intake.clone());
        let parent = parent.filter(|_| !apart);
        let above = parent.as_ref().and_then(|parent| parent.readers.clone());
        let readers = match reader {
            Some(reader) => Some(Readers::new(reader, above)),
            None => above,
        };
        let mut call = held::frame(self.definition);
        let heard = (readers.is_some(), is_kept);
        if let Some(parent) = parent {
            call.start(self.definition, parent.next(), heard);
            call.parent = Some(parent);
        } else {
            let intake = recorder.or(surrounding).or_else(installed::installed);
            let path = Path { definition: self.definition, name: name.clone(), above: None };
            let run = new_run(origin.unwrap_or(Origin::OWN), intake, || path.definition());
            call.start(self.definition, (&run, 0, run.t0), heard);
            call.run = Some(run);
        }
        (call.name, call.readers) = (name, readers);
        call.enter(input);
        for (key, value) in metadata {
            // It may have been captured before it was known by whose rules.
            let value = capture::named(call.run().rules(), &key, &value);
            call.note(|notes| notes.set_metadata(key.clone(), value.clone()));
        }
        Held::Own(call)
    }
}

fn new_run(
    origin: Origin,
    intake: Option<Arc<Intake>>,
    root: impl FnOnce() -> Definition,
) -> Arc<Run> {
    current::expect_calls();
    let intake = intake.filter(|_| IS_RECORDING);
    Arc::new(Run::start(origin, intake, root))
}

impl Settings {
    /// Whether somebody hears of the call because of what was asked for.
    fn is_heard(&self) -> bool {
        let is_recorded = IS_RECORDING && self.recorder.is_some();
        self.is_kept || self.reader.is_some() || is_recorded
    }

    /// Whether the call is the first of a run, even if another call made it.
    fn is_apart(&self) -> bool {
        self.origin.is_some() || self.recorder.is_some()
    }
}
