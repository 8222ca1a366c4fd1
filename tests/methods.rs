//! Methods, associated functions, traits and whole `impl` blocks.

use expect_test::expect;
use futures::executor::block_on;
use futures::{Stream, StreamExt, stream};
use serde::Serialize;
use timbal::runnable;
use timbal_tests::check_inside;

#[derive(Serialize, Default, Clone)]
struct Counter {
    count: u64,
}

impl Counter {
    #[runnable(skip_output)]
    pub async fn starting_at(count: u64) -> Self {
        Self { count }
    }

    #[runnable]
    async fn get(&self) -> u64 {
        self.count
    }

    #[runnable(capture_self)]
    async fn add(&mut self, n: u64) -> u64 {
        self.count += n;
        self.get().await
    }

    #[runnable]
    async fn into_inner(self) -> Self {
        self
    }

    #[runnable(capture_self, skip_output)]
    async fn raised(mut self, by: u64) -> Self {
        self.count += by;
        self
    }

    #[runnable]
    async fn boxed(self: Box<Self>) -> u64 {
        self.count
    }

    #[runnable]
    fn count_mut(&mut self) -> &mut u64 {
        &mut self.count
    }

    #[runnable(capture_self)]
    fn up_to(&self, to: u64) -> impl Iterator<Item = u64> {
        self.count..to
    }

    #[runnable]
    fn streamed(&self) -> impl Stream<Item = &u64> {
        stream::iter([&self.count])
    }
}

#[test]
fn methods_are_called_as_before() {
    block_on(async {
        let mut counter = Counter::starting_at(1).await;
        assert_eq!(counter.add(2).await, 3);
        *counter.count_mut() += 1;
        assert_eq!(counter.get().await, 4);
        assert_eq!(counter.up_to(6).collect::<Vec<_>>(), [4, 5]);
        assert_eq!(counter.streamed().next().await, Some(&4));
        assert_eq!(counter.clone().into_inner().await.raised(1).await.count, 5);
        assert_eq!(Box::new(counter).boxed().await, 4);
    });
}

#[test]
fn self_is_captured_if_asked() {
    let body = async {
        let mut counter = Counter::default();
        counter.add(2).await;
        counter.up_to(4).count()
    };
    check_inside(
        body,
        expect![[r#"
        START  in
        START  in.add
        START  in.add.get
        OUTPUT in.add.get {} -> 2
        OUTPUT in.add {"self":{"count":0},"n":2} -> 2
        START  in.up_to
        CHUNK  in.up_to 2
        CHUNK  in.up_to 3
        OUTPUT in.up_to {"self":{"count":2},"to":4} -> [2,3]
        OUTPUT in null -> null
    "#]],
    );
}

trait Fetch {
    fn url(&self) -> String;

    async fn fetch(&self, times: u64) -> u64;

    fn later(&self) -> impl Future<Output = u64> + Send;

    async fn make() -> u64;

    #[runnable(opaque)]
    fn twice(&self) -> impl Future<Output = u64> {
        async move { self.fetch(1).await + self.later().await }
    }

    #[runnable]
    fn shout(&self) -> String {
        self.url().to_uppercase()
    }
}

struct Site;

impl Fetch for Site {
    #[runnable]
    fn url(&self) -> String {
        "site".into()
    }

    #[runnable]
    async fn fetch(&self, times: u64) -> u64 {
        times
    }

    #[runnable]
    fn later(&self) -> impl Future<Output = u64> + Send {
        async { 2 }
    }

    #[runnable]
    async fn make() -> u64 {
        3
    }
}

struct Other;

impl Fetch for Other {
    fn url(&self) -> String {
        String::new()
    }

    async fn fetch(&self, _: u64) -> u64 {
        0
    }

    async fn later(&self) -> u64 {
        0
    }

    async fn make() -> u64 {
        0
    }

    #[runnable(opaque)]
    async fn twice(&self) -> u64 {
        7
    }
}

#[test]
fn traits_and_their_default_methods() {
    async fn all(fetch: &impl Fetch) -> u64 {
        fetch.shout();
        fetch.twice().await
    }
    check_inside(
        async { (all(&Site).await, Site::make().await) },
        expect![[r#"
        START  in
        START  in.shout
        START  in.shout.url
        OUTPUT in.shout.url {} -> "site"
        OUTPUT in.shout {} -> "SITE"
        START  in.twice
        START  in.twice.fetch
        OUTPUT in.twice.fetch {"times":1} -> 1
        START  in.twice.later
        OUTPUT in.twice.later {} -> 2
        OUTPUT in.twice {} -> 3
        START  in.make
        OUTPUT in.make {} -> 3
        OUTPUT in null -> null
    "#]],
    );
    check_inside(
        all(&Other),
        expect![[r#"
        START  in
        START  in.shout
        OUTPUT in.shout {} -> ""
        START  in.twice
        OUTPUT in.twice {} -> 7
        OUTPUT in null -> null
    "#]],
    );
}

#[runnable(metadata(kind = "block"))]
impl Site {
    const PAGES: u64 = 2;

    fn pages(&self) -> u64 {
        Self::PAGES
    }

    #[runnable]
    fn asked(&self) -> u64 {
        self.pages()
    }

    async fn page(&self, n: u64, #[redact] key: &str) -> Option<u64> {
        (n < self.asked() && !key.is_empty()).then_some(n)
    }

    fn all(&self) -> impl Stream<Item = u64> {
        stream::iter(0..self.pages())
    }

    #[runnable(name = "own")]
    async fn other() {}
}

#[test]
fn whole_blocks() {
    let body = async {
        Site.page(1, "secret").await;
        Site.all().count().await;
        Site::other().await;
    };
    check_inside(
        body,
        expect![[r#"
        START  in
        START  in.page
        START  in.page.asked
        OUTPUT in.page.asked {} -> 2
        OUTPUT in.page {"n":1,"key":"***"} -> 1
        START  in.all
        CHUNK  in.all 0
        CHUNK  in.all 1
        OUTPUT in.all {} -> [0,1]
        START  in.own
        OUTPUT in.own {} -> null
        OUTPUT in null -> null
    "#]],
    );
    let done = block_on(Site.all().events().collect());
    assert_eq!(done.metadata["kind"], "block");
}

mod with_async_trait {
    use super::*;

    #[async_trait::async_trait]
    trait Tool: Send + Sync {
        async fn run(&self, input: &str) -> Result<usize, String>;

        #[runnable]
        async fn twice(&mut self, (a, _b): (u8, u8)) -> usize {
            self.run("default").await.unwrap_or_default() * usize::from(a)
        }
    }

    struct Length;

    #[async_trait::async_trait]
    impl Tool for Length {
        #[runnable]
        async fn run(&self, input: &str) -> Result<usize, String> {
            if input.is_empty() {
                return Err("empty".to_owned());
            }
            Ok(super::Counter::starting_at(input.len() as u64).await.count as usize)
        }
    }

    #[test]
    fn methods_are_recorded_as_futures() {
        let body = async {
            let mut tools: Vec<Box<dyn Tool>> = vec![Box::new(Length)];
            let _ = tools[0].run("").await;
            tools[0].twice((2, 3)).await
        };
        check_inside(
            body,
            expect![[r#"
            START  in
            START  in.run
            OUTPUT in.run {"input":""} !! String: empty
            START  in.twice
            START  in.twice.run
            START  in.twice.run.starting_at
            OUTPUT in.twice.run.starting_at {"count":7} -> null
            OUTPUT in.twice.run {"input":"default"} -> 7
            OUTPUT in.twice {} -> 14
            OUTPUT in null -> null
        "#]],
        );
    }
}
