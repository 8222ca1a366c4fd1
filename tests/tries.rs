//! What a `?` in the body of a runnable is: what it is in any other function.

use std::collections::HashMap;
use std::error::Error;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex};
use std::task::Poll;

use futures::executor::block_on;
use timbal::runnable;

#[runnable(skip_input)]
fn of_option(names: &HashMap<u8, Vec<String>>, key: u8) -> Option<&str> {
    let first = names.get(&key)?.first()?;
    Some(first.strip_prefix("a")?)
}

#[runnable(skip_input, skip_output)]
fn of_poll(poll: Poll<Result<u8, String>>) -> Poll<Result<u8, String>> {
    let poll: Poll<u8> = poll?;
    poll.map(|n| Ok(n + 1))
}

#[runnable(skip_input, skip_output)]
fn of_poll_of_option(
    poll: Poll<Option<Result<u8, &'static str>>>,
) -> Poll<Option<Result<u8, String>>> {
    let poll: Poll<Option<u8>> = poll.map_err(str::to_owned)?;
    poll.map(|item| item.map(|n| Ok(n + 1)))
}

#[runnable(skip_input, skip_output)]
fn of_control_flow(numbers: &[u8]) -> ControlFlow<u8, usize> {
    numbers.iter().try_for_each(|n| {
        if *n > 3 {
            return ControlFlow::Break(*n);
        }
        ControlFlow::Continue(())
    })?;
    ControlFlow::Continue(numbers.len())
}

#[test]
fn all_that_has_one_has_it_still() {
    let names = HashMap::from([(1, vec!["ab".to_owned()]), (2, vec![])]);
    assert_eq!([1, 2, 3].map(|key| of_option(&names, key)), [Some("b"), None, None]);
    assert_eq!(of_poll(Poll::Ready(Ok(1))), Poll::Ready(Ok(2)));
    assert_eq!(of_poll(Poll::Ready(Err("no".into()))), Poll::Ready(Err("no".into())));
    assert_eq!(of_poll(Poll::Pending), Poll::Pending);
    assert_eq!(of_poll_of_option(Poll::Ready(Some(Ok(1)))), Poll::Ready(Some(Ok(2))));
    assert_eq!(
        of_poll_of_option(Poll::Ready(Some(Err("no")))),
        Poll::Ready(Some(Err("no".into())))
    );
    assert_eq!(of_poll_of_option(Poll::Ready(None)), Poll::Ready(None));
    assert_eq!(of_control_flow(&[1, 2]), ControlFlow::Continue(2));
    assert_eq!(of_control_flow(&[1, 4]), ControlFlow::Break(4));
}

type Boxed<T> = Result<T, Box<dyn Error>>;

#[runnable]
async fn infers(texts: &[&str]) -> Boxed<usize> {
    let first: u8 = texts.first().ok_or("no texts")?.parse()?;
    let all: Vec<u16> = texts.iter().map(|text| text.parse()).collect::<Result<_, _>>()?;
    let again = texts.iter().map(|text| Ok(text.parse::<u32>()?)).collect::<Boxed<Vec<_>>>()?;
    let sum = texts.iter().try_fold(0_u64, |sum, text| Boxed::Ok(sum + text.parse::<u64>()?))?;
    let later = std::future::ready(Ok::<_, std::io::Error>(1)).await?;
    Ok(usize::from(first) + all.len() + again.len() + usize::try_from(sum)? + later)
}

#[runnable(skip_output)]
async fn coerces(n: u8) -> Boxed<Box<dyn Fn(u8) -> u8 + Send>> {
    if n == 0 {
        return Err(Box::new(std::fmt::Error));
    }
    if n == 1 {
        Err(std::io::Error::other("one"))?;
    }
    match n {
        2 => Err("two".into()),
        3 => {
            let error: Box<dyn Error + Send + Sync> = "three".into();
            Err(error)
        }
        _ => Ok(Box::new(move |m| m + n)),
    }
}

#[test]
fn types_are_inferred_and_coerced_as_before() {
    assert_eq!(block_on(infers(&["1", "2"])).unwrap(), 1 + 2 + 2 + 3 + 1);
    assert_eq!(block_on(infers(&[])).unwrap_err().to_string(), "no texts");
    let errors = (0..4).map(|n| block_on(coerces(n)).err().unwrap().to_string());
    let expected = ["an error occurred when formatting an argument", "one", "two", "three"];
    assert_eq!(errors.collect::<Vec<_>>(), expected);
    assert_eq!(block_on(coerces(4)).unwrap()(1), 5);
}

#[derive(Clone, Default)]
struct Dropped(Arc<Mutex<Vec<&'static str>>>);

struct Named(&'static str, Dropped);

impl Named {
    fn get(&self) -> Result<&str, String> {
        Ok(self.0)
    }
}

impl Drop for Named {
    fn drop(&mut self) {
        self.1.0.lock().unwrap().push(self.0);
    }
}

macro_rules! statements {
    ($dropped:ident) => {{
        let _first = Named("first", $dropped.clone());
        let length = Named("temporary", $dropped.clone()).get()?.len();
        match Named("scrutinee", $dropped.clone()).get()? {
            text => $dropped.0.lock().unwrap().push(if text.len() == 9 { "arm" } else { "?" }),
        }
        let owned: usize = { Named("block", $dropped.clone()).get()?.len() };
        Ok(length + owned)
    }};
}

fn plain(dropped: Dropped) -> Result<usize, String> {
    statements!(dropped)
}

#[runnable(skip_input)]
fn sync(dropped: Dropped) -> Result<usize, String> {
    let _first = Named("first", dropped.clone());
    let length = Named("temporary", dropped.clone()).get()?.len();
    #[expect(clippy::match_single_binding, reason = "for the temporary")]
    match Named("scrutinee", dropped.clone()).get()? {
        text => dropped.0.lock().unwrap().push(if text.len() == 9 { "arm" } else { "?" }),
    }
    let owned: usize = { Named("block", dropped.clone()).get()?.len() };
    Ok(length + owned)
}

#[test]
fn temporaries_live_as_long_as_before() {
    let [before, after] = [plain, sync].map(|function| {
        let dropped = Dropped::default();
        assert_eq!(function(dropped.clone()), Ok(14));
        Arc::try_unwrap(dropped.0).unwrap().into_inner().unwrap()
    });
    assert_eq!(before, after);
}

#[runnable(skip_input)]
fn places(slots: &mut [Option<u8>], text: Option<&mut String>) -> Option<u8> {
    let first = slots[0]?;
    let last = slots.last_mut()?.as_mut()?;
    *last += first;
    let sum = (*slots.last()?)?;
    text?.push('!');
    Some(sum)
}

#[runnable]
fn words(text: &str) -> Result<u32, std::num::ParseIntError> {
    // What stands in items and constants is not of this body.
    const LIMIT: Option<u32> = Some(3);
    fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
        let number = text.parse::<u32>()?;
        Ok(number)
    }
    struct Local;
    impl Local {
        fn parse(text: &str) -> Result<u32, std::num::ParseIntError> {
            Ok(parse(text)? + 1)
        }
    }
    let sum = 'sum: {
        for word in text.split(' ') {
            if parse(word)? > LIMIT.unwrap_or(9) {
                break 'sum Local::parse(word)?;
            }
        }
        0
    };
    let [only] = [const { 1_u32 }; 1];
    Ok(sum + only)
}

#[test]
fn places_and_blocks_are_what_they_were() {
    let (mut slots, mut text) = ([Some(1), Some(2)], String::new());
    assert_eq!(places(&mut slots, Some(&mut text)), Some(3));
    assert_eq!(text, "!");
    assert_eq!(places(&mut [None], None), None);
    assert_eq!(words("1 2 7"), Ok(9));
    assert_eq!(words("1 2"), Ok(1));
    assert!(words("1 x").is_err());
}

mod own {
    use timbal::runnable;

    /// What is called `Err`, and is none.
    #[derive(Debug, PartialEq, serde::Serialize)]
    pub(crate) enum Parsed {
        Err(u8),
        Fine,
    }

    #[runnable]
    pub(crate) fn parsed(n: u8) -> Parsed {
        use Parsed::*;
        if n == 0 {
            return Err(n);
        }
        if n == 1 { Err(n) } else { Fine }
    }

    #[expect(non_snake_case)]
    fn Some(n: u8) -> u8 {
        n
    }

    #[runnable]
    pub(crate) fn shadowed(noted: Option<u8>) -> Option<u8> {
        let returned = noted?;
        Option::Some(Some(returned))
    }
}

#[test]
fn names_of_the_user_are_theirs() {
    assert_eq!(
        [0, 1, 2].map(own::parsed),
        [own::Parsed::Err(0), own::Parsed::Err(1), own::Parsed::Fine]
    );
    assert_eq!(own::shadowed(Some(1)), Some(1));
}

#[runnable(skip_input)]
async fn generic<T, E, F, O>(make: F) -> Result<T, E>
where
    F: Fn() -> O,
    O: Future<Output = Result<T, std::num::ParseIntError>>,
    T: serde::Serialize,
    E: From<std::num::ParseIntError> + Error,
{
    let make = &make;
    let twice = async move || {
        let _first = make().await?;
        make().await
    };
    Ok(twice().await?)
}

#[derive(Debug, thiserror::Error)]
#[error("it is wrapped")]
struct Wrapped(#[from] std::num::ParseIntError);

#[test]
fn generic_functions_and_async_closures_convert_as_before() {
    let error = block_on(generic::<u8, Wrapped, _, _>(|| async { "x".parse() })).unwrap_err();
    assert_eq!(error.to_string(), "it is wrapped");
    let number = block_on(generic::<u8, Wrapped, _, _>(|| async { "1".parse() })).unwrap();
    assert_eq!(number, 1);
}

#[test]
fn futures_stay_send() {
    fn send<T: Send>(value: T) -> T {
        value
    }
    let failed = block_on(send(generic::<u8, Wrapped, _, _>(|| async { "x".parse() })));
    assert!(failed.is_err());
}
