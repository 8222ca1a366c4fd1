//! Expansions, as code.

use expect_test::{Expect, expect};

fn check(args: &str, item: &str, expected: Expect) {
    let tokens = crate::expand(args.parse().unwrap(), item.parse().unwrap());
    expected.assert_eq(&prettyplease::unparse(&syn::parse2(tokens).unwrap()));
}

#[test]
fn plain_function() {
    let item = "
        /// Greets.
        pub async fn greet(name: String, times: u8) -> Result<String, Error> {
            let text = name.repeat(times)?;
            Ok(text)
        }";
    check(
        "",
        item,
        expect![[r#"
            /// Greets.
            pub fn greet(
                name: String,
                times: u8,
            ) -> ::timbal::Call<impl ::core::future::Future<Output = Result<String, Error>>> {
                static __TIMBAL_RUNNABLE: &::timbal::__private::Defined = ::timbal::__private::definition!(
                    "greet"
                );
                ::timbal::__private::call(
                    __TIMBAL_RUNNABLE,
                    async move {
                        if false {
                            return ::timbal::__private::declared::<Result<String, Error>>();
                        }
                        ::timbal::__private::input(|input| {
                            input.field(",\"name\":", &name);
                            input.field(",\"times\":", &times);
                        });
                        let name = name;
                        let times = times;
                        match () {
                            () => {
                                let text = ::timbal::__private::noted(
                                    name.repeat(times),
                                    __TIMBAL_RUNNABLE,
                                    "name.repeat(times)?",
                                )?;
                                Ok(text)
                            }
                        }
                    },
                    ::timbal::__private::probe::<Result<String, Error>>().rung().found().output(),
                )
            }
        "#]],
    );
}

#[test]
fn options() {
    let args = r#"name = "ask", usage = tokens, metadata(model = "gpt-5", retries = 3), crate = my::timbal"#;
    let item = "async fn ask_model(#[skip] client: &Client, question: &str, #[redact] key: Key) -> Answer { answer() }";
    check(
        args,
        item,
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn ask_model(
                client: &Client,
                question: &str,
                key: Key,
            ) -> my::timbal::Call<impl ::core::future::Future<Output = Answer>> {
                my::timbal::__private::call(
                    my::timbal::__private::definition!(
                        "ask", "model" = "\"gpt-5\"", "retries" = "3"
                    ),
                    async move {
                        if false {
                            return my::timbal::__private::declared::<Answer>();
                        }
                        let client = client;
                        let question = question;
                        let key = key;
                        my::timbal::__private::input(|input| {
                            input.field(",\"question\":", &question);
                            input.redacted(",\"key\":");
                        });
                        match () {
                            () => answer(),
                        }
                    },
                    |output, ending| {
                        let timbal_output = my::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                        ending.usage(timbal_output.0, tokens);
                    },
                )
            }
        "##]],
    );
    check(
        "skip_input, skip_output",
        "async fn f(a: u8) {}",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f(a: u8) -> ::timbal::Call<impl ::core::future::Future<Output = ()>> {
                ::timbal::__private::call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<()>();
                        }
                        ::timbal::__private::no_input();
                        let a = a;
                        match () {
                            () => {}
                        }
                    },
                    ::timbal::__private::probe::<()>().rung().found().error(),
                )
            }
        "##]],
    );
}

#[test]
fn notes() {
    let item = "
        fn f(a: &str) -> Result<u8, Error> {
            if a.is_empty() { return Err(Error::Empty) }
            let parse = |a: &str| a.parse::<u8>()?.checked_sub(1).ok_or(Error::Low);
            let n = (parse(a))?;
            let later = async { wait()?; Err(why) };
            unseen!(n?);
            const LOW: Option<u8> = low()?;
            match n { 0 => Err(Error::Zero), _ => Ok(n) }
        }";
    check(
        "skip_input, skip_output",
        item,
        expect![[r#"
            fn f(a: &str) -> Result<u8, Error> {
                static __TIMBAL_RUNNABLE: &::timbal::__private::Defined = ::timbal::__private::definition!(
                    "f"
                );
                ::timbal::__private::value(
                    __TIMBAL_RUNNABLE,
                    move || -> Result<u8, Error> {
                        ::timbal::__private::no_input();
                        let a = a;
                        match () {
                            () => {
                                if a.is_empty() {
                                    return ::timbal::__private::returned(
                                        Err(Error::Empty),
                                        __TIMBAL_RUNNABLE,
                                        "return Err(Error::Empty)",
                                        (0, 13835058055282163712),
                                    );
                                }
                                let parse = |a: &str| {
                                    ::timbal::__private::noted_in(
                                            a.parse::<u8>(),
                                            __TIMBAL_RUNNABLE,
                                            "a.parse::<u8>()?",
                                            (1, 9223372036854775808),
                                        )?
                                        .checked_sub(1)
                                        .ok_or(Error::Low)
                                };
                                let n = ::timbal::__private::noted_in(
                                    parse(a),
                                    __TIMBAL_RUNNABLE,
                                    "(parse(a))?",
                                    (0, 9223372036854775809),
                                )?;
                                let later = async {
                                    ::timbal::__private::noted_in(
                                        wait(),
                                        __TIMBAL_RUNNABLE,
                                        "wait()?",
                                        (2, 0),
                                    )?;
                                    ::timbal::__private::returned(
                                        Err(why),
                                        __TIMBAL_RUNNABLE,
                                        "Err(why)",
                                        (2, 0),
                                    )
                                };
                                unseen!(n ?);
                                const LOW: Option<u8> = low()?;
                                match n {
                                    0 => {
                                        ::timbal::__private::returned(
                                            Err(Error::Zero),
                                            __TIMBAL_RUNNABLE,
                                            "Err(Error::Zero)",
                                            (0, 13835058055282163712),
                                        )
                                    }
                                    _ => Ok(n),
                                }
                            }
                        }
                    },
                    ::timbal::__private::probe::<Result<u8, Error>>().rung().found().error(),
                )
            }
        "#]],
    );
}

#[test]
fn the_async_block_that_is_made_is_the_body() {
    let item = "
        fn f() -> BoxFuture<'static, Result<u8, Error>> {
            Box::pin(async move { let __ret: Result<u8, Error> = { a()?; Err(b()) }; __ret })
        }";
    check(
        "skip_input, skip_output",
        item,
        expect![[r#"
            fn f() -> BoxFuture<'static, Result<u8, Error>> {
                static __TIMBAL_RUNNABLE: &::timbal::__private::Defined = ::timbal::__private::definition!(
                    "f"
                );
                ::timbal::__private::boxed(__TIMBAL_RUNNABLE)
                    .future::<
                        Result<u8, Error>,
                        _,
                    >(
                        move |call| -> BoxFuture<'static, Result<u8, Error>> {
                            call.no_input();
                            match () {
                                () => {
                                    Box::pin(async move {
                                        let __ret: Result<u8, Error> = {
                                            ::timbal::__private::noted(a(), __TIMBAL_RUNNABLE, "a()?")?;
                                            ::timbal::__private::returned(
                                                Err(b()),
                                                __TIMBAL_RUNNABLE,
                                                "Err(b())",
                                                (0, 13835058055282163712),
                                            )
                                        };
                                        __ret
                                    })
                                }
                            }
                        },
                        ::timbal::__private::probe::<Result<u8, Error>>().rung().found().error(),
                    )
            }
        "#]],
    );
}

#[test]
fn parameters() {
    let item = "
        async fn f<'a, T: Trait, const N: usize>(
            mut a: [T; N],
            _b: impl Other,
            #[cfg(unix)] (c, _): (&'a str, u8),
            #[allow(unused)] _: u8,
        ) -> Option<impl Trait + 'a>
        where
            T: 'a,
        {
            None
        }";
    check(
        "",
        item,
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f<'a, T: Trait, const N: usize>(
                a: [T; N],
                _b: impl Other,
                #[cfg(unix)]
                __arg2: (&'a str, u8),
                __arg3: u8,
            ) -> ::timbal::Call<impl ::core::future::Future<Output = Option<impl Trait + 'a>>>
            where
                T: 'a,
            {
                ::timbal::__private::call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<Option<_>>();
                        }
                        let mut a = a;
                        #[allow(clippy::no_effect_underscore_binding)]
                        let _b = _b;
                        #[cfg(unix)]
                        let mut __arg2 = __arg2;
                        #[cfg(unix)]
                        let (c, _) = __arg2;
                        let mut __arg3 = __arg3;
                        #[allow(unused)]
                        let _ = __arg3;
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                            #[cfg(unix)] input.field(",\"c\":", &c);
                        });
                        match () {
                            () => None,
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                    },
                )
            }
        "##]],
    );
}

#[test]
fn inner_attributes() {
    check(
        "",
        "async unsafe fn f() { #![allow(unused)] body() }",
        expect![[r##"
            #[allow(unused)]
            #[allow(refining_impl_trait)]
            unsafe fn f() -> ::timbal::Call<impl ::core::future::Future<Output = ()>> {
                ::timbal::__private::call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<()>();
                        }
                        ::timbal::__private::input(|input| {});
                        match () {
                            () => body(),
                        }
                    },
                    ::timbal::__private::probe::<()>().rung().found().output(),
                )
            }
        "##]],
    );
}

#[test]
fn value() {
    check(
        "",
        "pub fn parse(text: &str) -> Result<u8, Error> { text.parse() }",
        expect![[r#"
            pub fn parse(text: &str) -> Result<u8, Error> {
                ::timbal::__private::value(
                    ::timbal::__private::definition!("parse"),
                    move || -> Result<u8, Error> {
                        ::timbal::__private::input(|input| {
                            input.field(",\"text\":", &text);
                        });
                        let text = text;
                        match () {
                            () => text.parse(),
                        }
                    },
                    ::timbal::__private::probe::<Result<u8, Error>>().rung().found().output(),
                )
            }
        "#]],
    );
}

#[test]
fn futures() {
    check(
        "",
        "fn f<'a>(a: &'a str) -> impl Future<Output = &'a str> + Send + 'a { async move { a } }",
        expect![[r##"
            #[allow(refining_impl_trait, single_use_lifetimes)]
            fn f<'a>(a: &'a str) -> ::timbal::Call<impl Future<Output = &'a str> + Send> {
                ::timbal::__private::future::<
                    &'a str,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    move || {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => async move { a },
                        }
                    },
                    ::timbal::__private::probe::<&'a str>().rung().found().output(),
                )
            }
        "##]],
    );
    check(
        "",
        "fn f(mut a: u8) -> BoxFuture<'static, u8> { a += 1; async move { a }.boxed() }",
        expect![[r#"
            fn f(a: u8) -> BoxFuture<'static, u8> {
                ::timbal::__private::boxed(::timbal::__private::definition!("f"))
                    .future::<
                        u8,
                        _,
                    >(
                        move |call| -> BoxFuture<'static, u8> {
                            call.input(|input| {
                                input.field(",\"a\":", &a);
                            });
                            let mut a = a;
                            match () {
                                () => {
                                    a += 1;
                                    async move { a }.boxed()
                                }
                            }
                        },
                        ::timbal::__private::probe::<u8>().rung().found().output(),
                    )
            }
        "#]],
    );
}

#[test]
fn borrows() {
    check(
        "",
        "fn f(&self, key: &str) -> impl Iterator<Item = u8> + '_ { self.get(key.len()) }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f(&self, key: &str) -> ::timbal::IterCall<impl Iterator<Item = u8> + '_> {
                ::timbal::__private::boxed(::timbal::__private::definition!("f"))
                    .hidden_iterator::<
                        u8,
                        _,
                    >(
                        move |call| {
                            let _ = &self;
                            call.input(|input| {
                                input.field(",\"key\":", &key);
                            });
                            let key = key;
                            match () {
                                () => self.get(key.len()),
                            }
                        },
                        |output, ending| {
                            let timbal_output = ::timbal::__private::split!(output);
                            ending.error(timbal_output.1);
                            ending.output(timbal_output.0);
                        },
                    )
            }
        "##]],
    );
    check(
        "",
        "async fn f<'a>(a: &'a str) -> impl Stream<Item = u8> + use<> { iter(a.len()) }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f<'a>(
                a: &'a str,
            ) -> ::timbal::StreamCallFuture<
                impl ::core::future::Future<Output = impl Stream<Item = u8> + use<>>,
            > {
                ::timbal::__private::stream_future::<
                    u8,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    async move {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => iter(a.len()),
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                    },
                )
            }
        "##]],
    );
}

#[test]
fn streams() {
    check(
        "fold = \"list\"",
        "fn f(a: &str) -> impl Stream<Item = Result<char, Error>> + Unpin + '_ { iter(a.chars().map(Ok)) }",
        expect![[r##"
            #[allow(refining_impl_trait, single_use_lifetimes)]
            fn f(a: &str) -> ::timbal::StreamCall<impl Stream<Item = Result<char, Error>> + Unpin> {
                ::timbal::__private::stream::<
                    Result<char, Error>,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    move || {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => iter(a.chars().map(Ok)),
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.list(timbal_output.0);
                    },
                )
            }
        "##]],
    );
    check(
        "fold = Sum::add",
        "async fn f(a: u8) -> impl Stream<Item = u8> { iter([a]) }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f(
                a: u8,
            ) -> ::timbal::StreamCallFuture<
                impl ::core::future::Future<Output = impl Stream<Item = u8>>,
            > {
                ::timbal::__private::stream_future::<
                    u8,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    async move {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => iter([a]),
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.fold(timbal_output.0, Sum::add);
                    },
                )
            }
        "##]],
    );
    check(
        "fold = \"none\"",
        "fn f() -> BoxStream<'static, u8> { empty() }",
        expect![[r#"
            fn f() -> BoxStream<'static, u8> {
                ::timbal::__private::boxed(::timbal::__private::definition!("f"))
                    .stream::<
                        u8,
                        _,
                    >(
                        move |call| -> BoxStream<'static, u8> {
                            call.input(|input| {});
                            match () {
                                () => empty(),
                            }
                        },
                        |output, ending| {
                            let timbal_output = ::timbal::__private::split!(output);
                            ending.error(timbal_output.1);
                            ending.chunk(timbal_output.0);
                        },
                    )
            }
        "#]],
    );
}

#[test]
fn iterators() {
    check(
        "",
        "fn f(a: u8) -> impl ExactSizeIterator<Item = u8> + Send { (0..a).rev() }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f(a: u8) -> ::timbal::IterCall<impl ExactSizeIterator<Item = u8> + Send> {
                ::timbal::__private::iterator::<
                    u8,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    move || {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => (0..a).rev(),
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                    },
                )
            }
        "##]],
    );
}

#[test]
fn methods() {
    check(
        "capture_self",
        "async fn f(&mut self, a: u8) -> Self { self.g(a) }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn f(&mut self, a: u8) -> ::timbal::Call<impl ::core::future::Future<Output = Self>> {
                ::timbal::__private::call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<Self>();
                        }
                        let _ = &self;
                        ::timbal::__private::input(|input| {
                            input.field(",\"self\":", &*self);
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => self.g(a),
                        }
                    },
                    ::timbal::__private::probe::<Self>().rung().found().output(),
                )
            }
        "##]],
    );
    check(
        "opaque",
        "fn f(self) -> impl Stream<Item = u8> + Send { iter(self.0) }",
        expect![[r#"
            fn f(self) -> impl Stream<Item = u8> + Send {
                ::timbal::__private::stream::<
                    u8,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("f"),
                    move || {
                        let _ = &self;
                        ::timbal::__private::input(|input| {});
                        match () {
                            () => iter(self.0),
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                    },
                )
            }
        "#]],
    );
}

#[test]
fn boxed() {
    check(
        "boxed",
        "pub async fn f<T: Ord>(a: &str, b: T, c: impl Fn(&u8) -> &u8) -> u8 { 1 }",
        expect![[r#"
            pub fn f<'timbal_0, 'timbal_call, T: Ord + 'timbal_call>(
                a: &'timbal_0 str,
                b: T,
                c: impl Fn(&u8) -> &u8 + 'timbal_call,
            ) -> ::timbal::Call<::timbal::__private::BoxFuture<'timbal_call, u8>>
            where
                'timbal_0: 'timbal_call,
            {
                ::timbal::__private::box_call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<u8>();
                        }
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                            input.field(",\"b\":", &b);
                            input.field(",\"c\":", &c);
                        });
                        let a = a;
                        let b = b;
                        let c = c;
                        match () {
                            () => 1,
                        }
                    },
                    ::timbal::__private::probe::<u8>().rung().found().output(),
                )
            }
        "#]],
    );
    check(
        "boxed(local)",
        "pub async fn f(&self, a: &mut Vec<Ref<'_, u8>>) -> Option<&u8> { None }",
        expect![[r#"
            pub fn f<'timbal_0, 'timbal_1, 'timbal_2, 'timbal_call>(
                &'timbal_0 self,
                a: &'timbal_1 mut Vec<Ref<'timbal_2, u8>>,
            ) -> ::timbal::Call<
                ::timbal::__private::LocalBoxFuture<'timbal_call, Option<&'timbal_0 u8>>,
            >
            where
                Self: 'timbal_call,
                'timbal_0: 'timbal_call,
                'timbal_1: 'timbal_call,
                'timbal_2: 'timbal_call,
            {
                ::timbal::__private::local_box_call(
                    ::timbal::__private::definition!("f"),
                    async move {
                        if false {
                            return ::timbal::__private::declared::<Option<&'timbal_0 u8>>();
                        }
                        let _ = &self;
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => None,
                        }
                    },
                    ::timbal::__private::probe::<Option<&'timbal_0 u8>>().rung().found().output(),
                )
            }
        "#]],
    );
}

#[test]
fn blocking() {
    check(
        "blocking",
        "pub fn f(a: String) -> usize { a.len() }",
        expect![[r#"
            pub fn f(a: String) -> ::timbal::Call<impl ::core::future::Future<Output = usize>> {
                ::timbal::__private::blocking(
                    ::timbal::__private::definition!("f"),
                    move || -> usize {
                        ::timbal::__private::input(|input| {
                            input.field(",\"a\":", &a);
                        });
                        let a = a;
                        match () {
                            () => a.len(),
                        }
                    },
                    ::timbal::__private::probe::<usize>().rung().found().output(),
                )
            }
        "#]],
    );
}

#[test]
fn impl_block() {
    let item = "
        impl<T> Store<T> {
            const A: u8 = 1;
            pub fn len(&self) -> usize { 0 }
            pub async fn get(&self, #[skip] key: &str) -> u8 { 0 }
            pub fn all(&self) -> impl Iterator<Item = u8> { 0..1 }
            #[runnable(name = \"other\")]
            async fn own() {}
        }";
    check(
        "capture_self, metadata(kind = 1)",
        item,
        expect![[r#"
        impl<T> Store<T> {
            const A: u8 = 1;
            pub fn len(&self) -> usize {
                0
            }
            #[::timbal::runnable(capture_self, metadata(kind = 1))]
            pub async fn get(&self, #[skip] key: &str) -> u8 {
                0
            }
            #[::timbal::runnable(capture_self, metadata(kind = 1))]
            pub fn all(&self) -> impl Iterator<Item = u8> {
                0..1
            }
            #[runnable(name = "other")]
            async fn own() {}
        }
    "#]],
    );
}

/// Editors ask for the expansion of what is being typed.
#[test]
fn half_typed_body() {
    let tokens = crate::expand("".parse().unwrap(), "async fn f() { text. }".parse().unwrap());
    assert!(tokens.to_string().contains("{ text . }"));
}

#[test]
fn item_stays_beside_its_errors() {
    check(
        "nam = \"g\"",
        "const fn f(#[skip] a: u8, #[redact] b: u8, #[other] c: u8) {}",
        expect![[r#"
            const fn f(a: u8, b: u8, #[other] c: u8) {}
            ::core::compile_error! {
                "expected `name`, there is no `nam`"
            }
            ::core::compile_error! {
                "expected a function that is not `const`: calls are recorded when they run"
            }
        "#]],
    );
    check(
        "",
        "struct S(#[skip] u8);",
        expect![[r#"
            struct S(#[skip] u8);
            ::core::compile_error! {
                "expected a function or an `impl` block"
            }
        "#]],
    );
}

#[test]
fn generator() {
    check(
        "yields = u64",
        "async fn count(to: u64) -> String {
            join!(async { yield_!(to); }, async move { yield_!(to, ); });
            fn other() { yield_!(1) }
            timbal::yield_!();
            \"done\".into()
        }",
        expect![[r##"
            #[allow(refining_impl_trait)]
            fn count(
                to: u64,
            ) -> ::timbal::StreamCall<
                impl ::timbal::StreamGenerator<Item = u64, Returned = String>,
            > {
                ::timbal::__private::generator::<
                    ::timbal::__private::Yields,
                    u64,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("count"),
                    move |timbal_yielder| async move {
                        if false {
                            return ::timbal::__private::declared::<String>();
                        }
                        let timbal_yielder = &timbal_yielder;
                        let _ = timbal_yielder;
                        ::timbal::__private::input(|input| {
                            input.field(",\"to\":", &to);
                        });
                        let to = to;
                        match () {
                            () => {
                                join!(
                                    async { yield_!(timbal_yielder => to); },
                                    ::timbal::__private::sharing(& timbal_yielder, | timbal_yielder |
                                    async move { let timbal_yielder = & timbal_yielder;
                                    yield_!(timbal_yielder => to,); })
                                );
                                fn other() {
                                    yield_!(1)
                                }
                                timbal::yield_!(timbal_yielder =>);
                                "done".into()
                            }
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.returned(timbal_output.0);
                    },
                )
            }
        "##]],
    );
    check(
        "try_yields = &str, opaque, usage = tokens",
        "fn lines(text: &str) -> io::Result<()> { yield_!(text); Ok(()) }",
        expect![[r#"
            fn lines(
                text: &str,
            ) -> impl ::core::iter::Iterator<
                Item = ::core::result::Result<
                    &str,
                    <io::Result<()> as ::timbal::__private::Fallible>::Error,
                >,
            > {
                ::timbal::__private::iter_generator::<
                    ::timbal::__private::TryYields,
                    &str,
                    _,
                    _,
                >(
                    ::timbal::__private::definition!("lines"),
                    move |timbal_yielder| async move {
                        if false {
                            return ::timbal::__private::declared::<io::Result<()>>();
                        }
                        let timbal_yielder = &timbal_yielder;
                        let _ = timbal_yielder;
                        ::timbal::__private::input(|input| {
                            input.field(",\"text\":", &text);
                        });
                        let text = text;
                        match () {
                            () => {
                                yield_!(timbal_yielder => text);
                                Ok(())
                            }
                        }
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.output(timbal_output.0);
                        ending.usage(timbal_output.0, tokens);
                    },
                    |output, ending| {
                        let timbal_output = ::timbal::__private::split!(output);
                        ending.error(timbal_output.1);
                        ending.returned(timbal_output.0);
                    },
                )
            }
        "#]],
    );
}

#[test]
fn yields() {
    let expand = |tokens: &str| {
        let tokens = tokens.parse().unwrap();
        crate::yields::expand(tokens, proc_macro2::Span::call_site()).to_string()
    };
    expect!["{ let yielded = timbal_yielder . put (text ?) ; yielded . await }"]
        .assert_eq(&expand("timbal_yielder => text?"));
    expect!["{ let yielded = timbal_yielder . put (()) ; yielded . await }"]
        .assert_eq(&expand("timbal_yielder =>"));
    expect![":: core :: mem :: drop (1)"].assert_eq(&expand("timbal_quiet => 1"));
    expect![[r#":: core :: compile_error ! { "expected `yield_!` in the body of a function with `#[runnable(yields = T)]`, and not in a function inside of it" }"#]].assert_eq(&expand("1"));
}
