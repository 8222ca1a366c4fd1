//! Functions with named and default arguments, by `bon`.

use expect_test::expect;
use futures::executor::block_on;
use timbal::runnable;

#[runnable]
#[bon::builder]
async fn greet(name: String, #[builder(default = 1)] times: usize) -> String {
    format!("Hello, {name}! ").repeat(times)
}

#[test]
fn arguments_are_named_and_have_defaults() {
    let (text, trace) = block_on(greet().name("Alice".into()).call().traced());
    assert_eq!(text, "Hello, Alice! ");
    expect![[r#"greet {"name":"Alice","times":1} -> "Hello, Alice! ""#]]
        .assert_eq(&trace.to_string());
    assert_eq!(block_on(greet().name("Bob".into()).times(2).call()), "Hello, Bob! Hello, Bob! ");
}
