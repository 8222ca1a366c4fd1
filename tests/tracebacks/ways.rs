//! Programs whose errors travel through several calls.

use anyhow::Context;
use futures::future::{BoxFuture, FutureExt, join_all, try_join, try_join_all};
use futures::stream::{self, StreamExt, TryStreamExt};
use timbal::runnable;

use crate::kinds::AppError;

type Anyhow<T> = anyhow::Result<T>;

#[runnable]
pub(crate) async fn read(path: &str) -> std::io::Result<String> {
    std::fs::read_to_string(path)?
        .lines()
        .next()
        .map(str::to_owned)
        .ok_or_else(std::io::Error::last_os_error)
}

#[runnable]
pub(crate) async fn index(paths: Vec<&'static str>) -> std::io::Result<usize> {
    let mut bytes = 0;
    for path in paths {
        bytes += read_counted(path).await?;
    }
    Ok(bytes)
}

#[runnable]
pub(crate) async fn read_counted(path: &str) -> std::io::Result<usize> {
    read(path).await.map(|text| text.len())
}

#[runnable]
pub(crate) async fn through_from(path: &str) -> Result<usize, AppError> {
    Ok(read(path).await?.len())
}

#[runnable]
pub(crate) async fn through_context(path: &str) -> Anyhow<usize> {
    let size = through_from(path).await.context("while it counted")?;
    Ok(size)
}

#[runnable]
pub(crate) async fn through_context_again(path: &str) -> Anyhow<usize> {
    through_context(path)
        .await
        .with_context(|| format!("while it looked at {path}"))
        .context("at last")
}

#[runnable]
pub(crate) async fn through_text(path: &str) -> Result<usize, String> {
    through_from(path).await.map_err(|error| format!("no size: {error}"))
}

#[runnable]
pub(crate) async fn through_box(path: &str) -> Result<usize, Box<dyn std::error::Error>> {
    let size = through_text(path).await?;
    Ok(size)
}

#[runnable]
pub(crate) async fn through_try_join(path: &str) -> std::io::Result<usize> {
    let (one, other) = try_join(read("Cargo.toml"), read(path)).await?;
    Ok(one.len() + other.len())
}

#[runnable]
pub(crate) async fn through_join_all(paths: Vec<&'static str>) -> std::io::Result<usize> {
    let texts = join_all(paths.into_iter().map(read)).await;
    let texts = texts.into_iter().collect::<Result<Vec<_>, _>>()?;
    Ok(texts.len())
}

#[runnable]
pub(crate) async fn through_macro(path: &str) -> std::io::Result<usize> {
    let (one, other) = tokio::try_join!(read("Cargo.toml"), read(path))?;
    Ok(one.len() + other.len())
}

#[runnable]
pub(crate) async fn through_task(path: &'static str) -> Anyhow<usize> {
    let task = tokio::spawn(read(path));
    let text = task.await??;
    Ok(text.len())
}

#[runnable]
pub(crate) async fn through_task_block(path: &'static str) -> Anyhow<usize> {
    let task = tokio::spawn(async move {
        let text = read(path).await?;
        Ok::<_, std::io::Error>(text.len())
    });
    let size = task.await??;
    Ok(size)
}

#[runnable]
pub(crate) async fn through_buffer(paths: Vec<&'static str>) -> Anyhow<usize> {
    let texts = stream::iter(paths).map(read).buffer_unordered(2);
    let sizes: Vec<usize> = texts.map_ok(|text| text.len()).try_collect().await?;
    Ok(sizes.into_iter().sum())
}

#[runnable]
pub(crate) async fn through_many(n: usize) -> Result<(), String> {
    try_join_all((0..n).map(fails_at)).await?;
    Ok(())
}

#[runnable]
pub(crate) async fn fails_at(n: usize) -> Result<(), String> {
    if n == 70 { Err(format!("{n} is where it fails")) } else { Ok(()) }
}

#[runnable(boxed, name = "d")]
pub(crate) async fn down(depth: u32) -> Result<u32, String> {
    if depth == 0 {
        return Err("the ground".to_owned());
    }
    let below = down(depth - 1).await?;
    Ok(below + 1)
}

#[runnable]
pub(crate) fn down_sync(depth: u32) -> Result<u32, std::num::ParseIntError> {
    if depth == 0 { "ground".parse() } else { Ok(down_sync(depth - 1)? + 1) }
}

#[runnable]
pub(crate) fn boxed_future(path: &'static str) -> BoxFuture<'static, std::io::Result<usize>> {
    async move {
        let text = read(path).await?;
        Ok(text.len())
    }
    .boxed()
}

#[runnable]
pub(crate) fn impl_future(path: &'static str) -> impl Future<Output = std::io::Result<usize>> {
    async move {
        let text = read(path).await?;
        Ok(text.len())
    }
}

/// A trait whose methods are boxed.
#[async_trait::async_trait]
pub(crate) trait Size {
    async fn size(&self, path: &'static str) -> std::io::Result<usize>;
}

/// That of a file.
pub(crate) struct Files;

#[async_trait::async_trait]
impl Size for Files {
    #[runnable]
    async fn size(&self, path: &'static str) -> std::io::Result<usize> {
        let text = read(path).await?;
        if text.is_empty() { Err(std::io::Error::other("it is empty")) } else { Ok(text.len()) }
    }
}

impl Files {
    #[runnable]
    pub(crate) async fn sizes(&self, paths: Vec<&'static str>) -> std::io::Result<usize> {
        let mut size = 0;
        for path in paths {
            size += self.size(path).await?;
        }
        Ok(size)
    }
}

#[runnable]
pub(crate) fn numbers(texts: &'static [&'static str]) -> impl futures::Stream<Item = Anyhow<u8>> {
    stream::iter(texts).then(|text| async move {
        let number = number(text).await.context("not a number")?;
        Ok(number)
    })
}

#[runnable]
pub(crate) async fn number(text: &str) -> Result<u8, std::num::ParseIntError> {
    text.parse()
}

#[runnable]
pub(crate) async fn sum(texts: &'static [&'static str]) -> Anyhow<u8> {
    let sum = numbers(texts).try_fold(0, |sum, number| async move { Ok(sum + number) }).await?;
    Ok(sum)
}

#[runnable]
pub(crate) fn iterator(texts: &'static [&'static str]) -> impl Iterator<Item = Anyhow<u8>> {
    texts.iter().map(|text| {
        let number = text.parse::<u8>().with_context(|| format!("{text:?}"))?;
        Ok(number)
    })
}

#[runnable]
pub(crate) fn sum_of_iterator(texts: &'static [&'static str]) -> Anyhow<u32> {
    iterator(texts).map(|number| Ok(u32::from(number?))).sum()
}

#[runnable]
pub(crate) async fn call_block(path: &'static str) -> std::io::Result<usize> {
    let size =
        timbal::call!("measure", async move { read(path).await.map(|text| text.len()) }).await?;
    Ok(size)
}

#[runnable(blocking)]
pub(crate) fn blocking(path: String) -> std::io::Result<usize> {
    let text = std::fs::read_to_string(path)?;
    Ok(text.len())
}

#[runnable]
pub(crate) async fn through_blocking(path: &str) -> std::io::Result<usize> {
    let size = blocking(path.to_owned()).await?;
    Ok(size)
}
