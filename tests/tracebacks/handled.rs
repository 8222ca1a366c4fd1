//! Programs that handle errors, and fail with others, or none.

use timbal::runnable;

type Anyhow<T> = anyhow::Result<T>;

#[runnable]
pub(crate) async fn attempt(n: u32) -> Result<u32, String> {
    if n < 5 { Err(format!("attempt {n} failed")) } else { Ok(n) }
}

#[runnable]
pub(crate) async fn retries(to: u32) -> Result<u32, String> {
    let mut n = 0;
    loop {
        match attempt(n).await {
            Ok(value) => return Ok(value),
            Err(_) if n < to => n += 1,
            Err(error) => return Err(error),
        }
    }
}

#[runnable]
pub(crate) async fn keeps_the_last(to: u32) -> Result<u32, String> {
    let mut last = None;
    for n in 0..to {
        match attempt(n).await {
            Ok(value) => return Ok(value),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap())
}

#[runnable]
pub(crate) async fn keeps_the_first(to: u32) -> Result<u32, String> {
    let mut errors = Vec::new();
    for n in 0..to {
        if let Err(error) = attempt(n).await {
            errors.push(error);
        }
    }
    Err(errors.remove(0))
}

#[runnable]
pub(crate) async fn fails_after(n: u32) -> Anyhow<u32> {
    if attempt(n).await.is_err() {
        // It goes on without.
    }
    let number = "none".parse::<u32>()?;
    Ok(number)
}

#[runnable]
pub(crate) async fn says_the_same(n: u32) -> Result<u32, String> {
    let value = attempt(n).await.unwrap_or(0);
    if value == 0 {
        return Err(format!("attempt {n} failed"));
    }
    Ok(value)
}

#[runnable]
pub(crate) async fn block_that_was_handled(n: u32) -> Anyhow<u32> {
    let cached: Result<u32, std::num::ParseIntError> = (|| {
        let cached = "empty".parse::<u32>()?;
        Ok(cached)
    })();
    let n = cached.map_or(n, |cached| cached);
    let size = std::fs::read("/nowhere").map(|bytes| bytes.len() as u32)?;
    Ok(n + size)
}

#[runnable]
pub(crate) async fn blocks(text: &str) -> Anyhow<u32> {
    let parse = |text: &str| -> Anyhow<u32> {
        let (left, right) = text.split_once('+').ok_or_else(|| anyhow::anyhow!("no plus"))?;
        Ok(left.parse::<u32>()? + right.parse::<u32>()?)
    };
    let task = async {
        let sum = parse(text)?;
        Ok::<_, anyhow::Error>(sum)
    };
    let sum = task.await?;
    Ok(sum)
}

#[runnable]
pub(crate) async fn block_at_the_end(text: &str) -> Result<u32, std::num::ParseIntError> {
    let result = (|| {
        let number = text.parse::<u32>()?;
        Ok(number + 1)
    })();
    drop(text.to_owned());
    result
}

#[runnable]
pub(crate) async fn retried_block(to: u32) -> Result<u32, String> {
    let mut n = 0;
    let value = retry(to, || {
        n += 1;
        let n = n;
        async move {
            let value = attempt(n).await?;
            Ok(value)
        }
    })
    .await?;
    Ok(value)
}

async fn retry<F>(times: u32, mut make: impl FnMut() -> F) -> Result<u32, String>
where
    F: Future<Output = Result<u32, String>>,
{
    for _ in 1..times {
        if let Ok(value) = make().await {
            return Ok(value);
        }
    }
    make().await
}

#[runnable]
pub(crate) async fn by_macro(n: u32) -> Anyhow<u32> {
    anyhow::ensure!(n > 10, "{n} is not enough");
    Ok(n)
}

#[runnable]
pub(crate) async fn in_a_macro(text: &str) -> Anyhow<String> {
    Ok(format!("{}", text.parse::<u32>()?))
}

macro_rules! parsed {
    ($text:expr) => {
        $text.parse::<u32>()
    };
}

#[runnable]
pub(crate) async fn of_a_macro(text: &str) -> Anyhow<u32> {
    let number = parsed!(text)?;
    Ok(number)
}

macro_rules! parses {
    ($name:ident, $text:ident => $parsed:expr) => {
        #[runnable]
        pub(crate) async fn $name($text: &str) -> Anyhow<u32> {
            Ok($parsed?)
        }
    };
}

parses! { by_a_macro, text => text.trim().parse::<u32>() }

#[runnable]
pub(crate) async fn long_operand(text: &str) -> Anyhow<u32> {
    let number = text
        .trim()
        .trim_start_matches("a prefix that is very long")
        .trim_end_matches("a suffix that is quite long too")
        .parse::<u32>()?;
    Ok(number)
}

#[runnable]
pub(crate) async fn many_lines(text: &str) -> Anyhow<u32> {
    let number = u32::from_str_radix(
        text, //  the digits
        16,
    )?;
    Ok(number)
}

#[runnable]
pub(crate) async fn made_and_tried(n: u32) -> Result<u32, String> {
    let value = attempt(n).await.unwrap_or(0);
    if value == 0 {
        Err(format!("attempt {n} failed"))?;
    }
    Ok(value)
}
