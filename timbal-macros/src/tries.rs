//! `Tries`: each `?` of a body, and each `Err(..)` that it returns, is made to be noted when it fails.

use proc_macro2::{Group, TokenStream, TokenTree};
use quote::ToTokens;
use syn::parse::Parser;
use syn::spanned::Spanned;
use syn::visit_mut::{self, VisitMut};
use syn::{
    Attribute, Block, Expr, ExprAsync, ExprCall, ExprClosure, ExprReturn, ExprTry, Item, Local,
    Macro, Pat, Path, Stmt, Type,
};

use crate::err::{is_err, is_passed_on};
use crate::expand;
use crate::origins::{Origins, bound, is_let_of, mentions};
use crate::text::{cut, text};
use crate::yields::YIELD;

/// What fails in the block can be what the call fails with.
const LEAVES: u64 = 1 << 63;

/// The error was made there, and not passed on.
const MADE: u64 = 1 << 62;

/// Blocks have a bit each: what stands in more is left as it is.
const MAX_BLOCKS: u32 = 62;

/// The body with its notes; `None` if there is nothing to note, or if it does not parse: then rustc
/// says what is wrong with it.
///
/// `is_maker` says that the body gives a future: if that is an `async` block, this is the body.
pub(crate) fn note(body: &Group, timbal: &Path, is_maker: bool) -> Option<TokenStream> {
    if !may_fail(body.stream()) {
        return None;
    }
    let statements = Block::parse_within.parse2(body.stream()).ok()?;
    let mut tries = Tries::new(timbal, is_maker, 0);
    let mut noted = tries.body(statements.clone());
    if tries.leaving != 0 {
        // Only at its end is it known what the body gives.
        tries = Tries::new(timbal, is_maker, tries.leaving);
        noted = tries.body(statements);
    }
    (tries.notes > 0).then(|| noted.iter().map(ToTokens::to_token_stream).collect())
}

/// Whether there is a `?` or an `Err`: most bodies need not be parsed.
fn may_fail(tokens: TokenStream) -> bool {
    tokens.into_iter().any(|token| match token {
        TokenTree::Group(group) => may_fail(group.stream()),
        TokenTree::Punct(punct) => punct.as_char() == '?',
        TokenTree::Ident(ident) => ident == "Err",
        TokenTree::Literal(_) => false,
    })
}

/// What is noted of the body. A block, here, is a closure or an `async` block: a failure in it comes
/// out where its value is looked at, or not at all.
struct Tries<'a> {
    timbal: &'a Path,
    is_maker: bool,
    /// The block that is looked at; 0 is the body itself.
    block: u32,
    /// How many there were.
    blocks: u32,
    /// The blocks that the value of what is looked at can come from.
    from: u64,
    /// The same of what was returned.
    returned: u64,
    /// The same of what the body gives, from an earlier look, and from this one.
    leaves: u64,
    leaving: u64,
    origins: Origins,
    notes: usize,
}

impl<'a> Tries<'a> {
    fn new(timbal: &'a Path, is_maker: bool, leaves: u64) -> Self {
        Self {
            timbal,
            is_maker,
            block: 0,
            blocks: 0,
            from: 0,
            returned: 0,
            leaves,
            leaving: 0,
            origins: Origins::default(),
            notes: 0,
        }
    }

    fn body(&mut self, mut statements: Vec<Stmt>) -> Vec<Stmt> {
        self.statements(&mut statements);
        self.leaving = self.from | self.returned;
        statements
    }

    /// What ends with what a block gives.
    fn statements(&mut self, statements: &mut [Stmt]) {
        let Some((last, others)) = statements.split_last_mut() else { return };
        let (tail, before) = match (last, others.split_last_mut()) {
            // `let text = …; text`
            (Stmt::Expr(Expr::Path(name), None), Some((Stmt::Local(local), before)))
                if is_let_of(&local.pat, &name.path) =>
            {
                (Tail::Local(local, &name.path), before)
            }
            (Stmt::Expr(expr, None), _) => (Tail::Expr(expr), others),
            (last, _) => (Tail::Statement(last), others),
        };
        for statement in before {
            self.apart(|it| it.visit_stmt_mut(statement));
        }
        match tail {
            Tail::Expr(expr) => self.tail(expr),
            Tail::Statement(statement) => {
                self.apart(|it| it.visit_stmt_mut(statement));
            }
            Tail::Local(local, name) => {
                let from = self.apart(|it| match &mut local.init {
                    Some(init) if init.diverge.is_none() => it.tail(&mut init.expr),
                    _ => it.visit_local_mut(local),
                });
                self.origins.add(bound(&local.pat), from);
                self.from |= self.origins.of(name);
            }
        }
    }

    /// An expression whose value is what the block gives.
    fn tail(&mut self, expr: &mut Expr) {
        match expr {
            Expr::Call(call) if is_err(call) => *expr = self.err(call, false),
            Expr::Block(it) => self.statements(&mut it.block.stmts),
            Expr::Unsafe(it) => self.statements(&mut it.block.stmts),
            Expr::Paren(it) => self.tail(&mut it.expr),
            Expr::If(it) => {
                self.visit_expr_mut(&mut it.cond);
                self.statements(&mut it.then_branch.stmts);
                if let Some((_, otherwise)) = &mut it.else_branch {
                    self.tail(otherwise);
                }
            }
            Expr::Match(it) => {
                let from = self.apart(|this| this.visit_expr_mut(&mut it.expr));
                for arm in &mut it.arms {
                    self.origins.add(bound(&arm.pat), from);
                    self.visit_pat_mut(&mut arm.pat);
                    self.tail(&mut arm.body);
                }
            }
            _ => match self.made(expr) {
                Some(future) => self.statements(&mut future.block.stmts),
                None => self.visit_expr_mut(expr),
            },
        }
    }

    /// The `async` block that is the body, also in a `Box::pin(..)` or before a `.boxed()`.
    fn made<'e>(&self, expr: &'e mut Expr) -> Option<&'e mut ExprAsync> {
        if !self.is_maker || self.block != 0 {
            return None;
        }
        match expr {
            Expr::Async(it) => Some(it),
            Expr::Call(it) if it.args.len() == 1 => self.made(it.args.first_mut()?),
            Expr::MethodCall(it) => self.made(&mut it.receiver),
            _ => None,
        }
    }

    /// What this looks at, whose value goes nowhere; gives where that comes from.
    fn apart(&mut self, look: impl FnOnce(&mut Self)) -> u64 {
        let before = std::mem::take(&mut self.from);
        look(self);
        std::mem::replace(&mut self.from, before)
    }

    /// What this looks at; gives where its value comes from.
    fn part(&mut self, look: impl FnOnce(&mut Self)) -> u64 {
        let from = self.apart(look);
        self.from |= from;
        from
    }

    /// A closure or an `async` block, in which this looks at what it gives.
    fn inside(&mut self, look: impl FnOnce(&mut Self)) {
        self.blocks += 1;
        let around = (self.block, self.from, self.returned);
        (self.block, self.from, self.returned) = (self.blocks, 0, 0);
        look(self);
        let gives = bit(self.block) | self.from | self.returned;
        (self.block, self.from, self.returned) = around;
        self.from |= gives;
    }

    // Input:
    //     Err(Error::Empty)
    // Output:
    //     ::timbal::__private::returned(Err(Error::Empty), DEFINITION, "Err(Error::Empty)", (0, …))
    fn err(&mut self, call: &mut ExprCall, is_returned: bool) -> Expr {
        let code = text(call.to_token_stream());
        let code = if is_returned { cut(&format!("return {code}")) } else { code };
        let spans = (call.func.span(), call.paren_token.span.join());
        let made = if call.args.iter().all(is_passed_on) { 0 } else { MADE };
        let from = self.part(|it| visit_mut::visit_expr_call_mut(it, call));
        if self.block > MAX_BLOCKS {
            return Expr::Call(call.clone());
        }
        self.notes += 1;
        let flags = (self.block, self.flags(from) | made);
        Expr::Verbatim(expand::returned(self.timbal, call.to_token_stream(), spans, &code, flags))
    }

    fn flags(&self, from: u64) -> u64 {
        let leaves = if self.block == 0 || self.leaves & bit(self.block) != 0 { LEAVES } else { 0 };
        from & (MADE - 1) | leaves
    }
}

enum Tail<'a> {
    Expr(&'a mut Expr),
    Local(&'a mut Local, &'a Path),
    Statement(&'a mut Stmt),
}

impl VisitMut for Tries<'_> {
    // Input:
    //     read(&path).await?
    // Output:
    //     ::timbal::__private::noted(read(&path).await, DEFINITION, "read(&path).await?")?
    fn visit_expr_try_mut(&mut self, it: &mut ExprTry) {
        let mut code = it.expr.to_token_stream();
        it.question_token.to_tokens(&mut code);
        let code = text(code);
        // `Err(Error::Empty)?`
        let made = match &*it.expr {
            Expr::Call(call) if is_err(call) && !call.args.iter().all(is_passed_on) => MADE,
            _ => 0,
        };
        let from = self.part(|this| this.visit_expr_mut(&mut it.expr));
        if self.block > MAX_BLOCKS {
            return;
        }
        self.notes += 1;
        // Parentheses that an operator needed are too many around an argument.
        let operand = match &*it.expr {
            Expr::Paren(inner) if inner.attrs.is_empty() => &inner.expr,
            operand => operand,
        };
        let operand = match operand {
            // Nor are braces to be called too many.
            Expr::Block(block) if block.label.is_none() => expand::quiet(operand.to_token_stream()),
            operand => operand.to_token_stream(),
        };
        let is_plain = self.block == 0 && from == 0 && made == 0;
        let flags = (!is_plain).then(|| (self.block, self.flags(from) | made));
        let span = it.question_token.span;
        *it.expr = Expr::Verbatim(expand::noted(self.timbal, operand, span, &code, flags));
    }

    fn visit_expr_return_mut(&mut self, it: &mut ExprReturn) {
        let Some(expr) = &mut it.expr else { return };
        let from = self.apart(|this| match &mut **expr {
            Expr::Call(call) if is_err(call) => **expr = this.err(call, true),
            expr => this.visit_expr_mut(expr),
        });
        self.returned |= from;
    }

    fn visit_expr_closure_mut(&mut self, it: &mut ExprClosure) {
        self.inside(|this| this.tail(&mut it.body));
    }

    fn visit_expr_async_mut(&mut self, it: &mut ExprAsync) {
        self.inside(|this| this.statements(&mut it.block.stmts));
    }

    fn visit_block_mut(&mut self, it: &mut Block) {
        for statement in &mut it.stmts {
            match statement {
                Stmt::Expr(expr, None) => self.visit_expr_mut(expr),
                statement => drop(self.apart(|this| this.visit_stmt_mut(statement))),
            }
        }
    }

    fn visit_local_mut(&mut self, it: &mut Local) {
        let from = self.apart(|this| visit_mut::visit_local_mut(this, it));
        self.origins.add(bound(&it.pat), from);
    }

    fn visit_pat_mut(&mut self, it: &mut Pat) {
        if let Pat::Guard(it) = it {
            self.apart(|this| this.visit_expr_mut(&mut it.guard));
        }
    }

    fn visit_expr_mut(&mut self, it: &mut Expr) {
        match it {
            Expr::Path(path) => self.from |= self.origins.of(&path.path),
            Expr::Macro(it) => {
                self.from |= self.origins.of_all(mentions(it.mac.tokens.clone()));
                self.visit_macro_mut(&mut it.mac);
            }
            Expr::Let(it) => {
                let from = self.part(|this| this.visit_expr_mut(&mut it.expr));
                self.origins.add(bound(&it.pat), from);
            }
            Expr::ForLoop(it) => {
                let from = self.apart(|this| this.visit_expr_mut(&mut it.expr));
                self.origins.add(bound(&it.pat), from);
                self.visit_block_mut(&mut it.body);
            }
            Expr::Match(it) => {
                let from = self.part(|this| this.visit_expr_mut(&mut it.expr));
                for arm in &mut it.arms {
                    self.origins.add(bound(&arm.pat), from);
                    self.visit_arm_mut(arm);
                }
            }
            Expr::Assign(it) => {
                self.visit_expr_mut(&mut it.left);
                let from = self.apart(|this| this.visit_expr_mut(&mut it.right));
                self.origins.add(mentions(it.left.to_token_stream()), from);
            }
            // `tasks.push(async { … })`
            Expr::MethodCall(it) => {
                self.visit_expr_mut(&mut it.receiver);
                for argument in &mut it.args {
                    let from = self.part(|this| this.visit_expr_mut(argument));
                    if let Expr::Path(receiver) = &*it.receiver {
                        self.origins.add(receiver.path.get_ident().map(ToString::to_string), from);
                    }
                }
            }
            Expr::Repeat(it) => self.visit_expr_mut(&mut it.expr),
            Expr::Const(_) => {}
            it => visit_mut::visit_expr_mut(self, it),
        }
    }

    /// Of a macro's arguments nobody knows what they are; but what is yielded is code of the body.
    fn visit_macro_mut(&mut self, it: &mut Macro) {
        let is_yield = it.path.segments.last().is_some_and(|last| last.ident == YIELD);
        if is_yield && let Ok(mut value) = syn::parse2::<Expr>(it.tokens.clone()) {
            self.apart(|this| this.visit_expr_mut(&mut value));
            it.tokens = value.into_token_stream();
        }
    }

    // What is no code of the body, or is no code that runs.
    fn visit_item_mut(&mut self, _: &mut Item) {}
    fn visit_type_mut(&mut self, _: &mut Type) {}
    fn visit_path_mut(&mut self, _: &mut Path) {}
    fn visit_attribute_mut(&mut self, _: &mut Attribute) {}
    fn visit_angle_bracketed_generic_arguments_mut(
        &mut self,
        _: &mut syn::AngleBracketedGenericArguments,
    ) {
    }
}

fn bit(block: u32) -> u64 {
    if (1..=MAX_BLOCKS).contains(&block) { 1 << (block - 1) } else { 0 }
}
