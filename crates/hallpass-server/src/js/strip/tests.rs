use super::*;

fn stripped(source: &str) -> String {
    let script = strip(source, true).unwrap();
    assert_eq!(script.lines().count(), source.lines().count());
    script.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[test]
fn types_become_blanks() {
    for (typed, plain) in [
        ("const a: string = b as any as T", "const a = b"),
        (
            "function f<T>(a?: T, ...rest: T[]): asserts a is T { return a! }",
            "function f (a , ...rest ) { return a }",
        ),
        ("type A = 1\nlet x", "; let x"),
        ("export interface A { b: 1 }\nexport type B = 1; f()", "; ; f()"),
        ("import type { A } from 'a'\nimport { B, type C } from 'b'\nB()", "; import { B, } from 'b' B()"),
        ("import { AuthOptions, } from \"next-auth\"\nconst a: AuthOptions = {}", "; const a = {}"),
        ("const x = f<number>(1) satisfies T", "const x = f (1)"),
        (
            "class A<T> extends B<T> implements C, D { private readonly x?: number = 1; declare y: T; [k: string]: T\nm?(): void {} }",
            "class A extends B { x = 1; ; ; m () {} }",
        ),
        ("declare module 'x' { interface Y {} }\ndeclare const z: 1\nq", "; ; q"),
        ("const g = async (req: Req, res: Res): Promise<void> => {}", "const g = async (req , res ) => {}"),
        ("function o(a: string): void\nfunction o(a) {}", "; function o(a) {}"),
        ("for (const x of <T[]>y) {}", "for (const x of y) {}"),
        ("let ü: string = 'ä' as T", "let ü = 'ä'"),
    ] {
        assert_eq!(stripped(typed), plain, "{typed}");
    }
}

#[test]
fn lines_and_columns_stay() {
    let source = "const a: { b: string,\n  c: number } = d as T; throw 1";
    assert_eq!(strip(source, true).unwrap().find("throw"), source.find("throw"));
}

#[test]
fn what_is_more_than_a_type_is_refused_with_its_place() {
    for source in ["\n  enum A { B }", "\n  namespace A { const b = 1 }", "\n  import a = require('a')"] {
        let fault = strip(source, true).unwrap_err();
        assert_eq!(fault.position, Some(Position { line: 2, column: 3 }), "{source}");
        assert!(fault.cure.is_some());
    }
}

#[test]
fn a_constant_with_the_name_of_an_argument_is_refused_with_its_place() {
    for source in [
        "f({ async g({ a, b: { c } }) {\n  const c = a } })",
        "const f = (...c) => {\n  let c = 1 }",
        "function f([c = 1]) {\n  let x, { c } = c }",
    ] {
        for is_typed in [false, true] {
            let fault = strip(source, is_typed).unwrap_err();
            assert_eq!(fault.position.map(|it| it.line), Some(2), "{source}");
        }
    }
    for source in ["function f(c) { var c; { let c } }", "function f(c) { return () => { let c } }"] {
        assert!(strip(source, false).is_ok(), "{source}");
    }
}

#[test]
fn what_is_no_program_is_refused_with_its_place() {
    let fault = strip("const a = 1\nconst = 2", true).unwrap_err();
    assert_eq!(fault.position.map(|it| it.line), Some(2), "{fault}");
}
