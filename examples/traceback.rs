//! Fails three calls deep, and prints the traceback: `cargo run --example traceback`.

use timbal::runnable;

#[derive(Debug, thiserror::Error)]
#[error("cannot load the price list")]
struct NoPrices(#[from] std::num::ParseIntError);

#[runnable]
async fn total(lists: Vec<&str>) -> Result<u32, Box<dyn std::error::Error>> {
    let mut total = 0;
    for list in lists {
        total += sum(list).await?;
    }
    Ok(total)
}

#[runnable]
async fn sum(list: &str) -> Result<u32, NoPrices> {
    let prices = list.split(' ').map(price).collect::<Result<Vec<_>, _>>()?;
    Ok(prices.into_iter().sum())
}

#[runnable]
fn price(text: &str) -> Result<u32, std::num::ParseIntError> {
    let price = text.trim_end_matches('$').parse::<u32>()?;
    Ok(price)
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    let done = total(vec!["3$ 4$", "5$ 6€"]).collect().await;
    if let Some(error) = done.error {
        println!("{}", error.traceback());
    }
}
