//! Takes the types out of TypeScript: each becomes blanks, so that lines and columns stay what they are in the file.

use std::collections::HashSet;
use std::ops::Range;

use oxc_allocator::Allocator;
use oxc_ast::ast::*;
use oxc_ast_visit::{Visit, walk};
use oxc_parser::Parser;
use oxc_span::{GetSpan, SourceType, Span};

use super::fault::{Fault, Position};

/// The same program without its types.
///
/// # Errors
/// When it is no TypeScript, or has something in it that is more than a type (`enum`, `namespace`, …).
pub(super) fn strip(source: &str, is_typed: bool) -> Result<String, Fault> {
    let allocator = Allocator::default();
    let kind = if is_typed { SourceType::ts() } else { SourceType::mjs() };
    let parsed = Parser::new(&allocator, source, kind).parse();
    if let Some(error) = parsed.diagnostics.first() {
        let offset = error.labels.first().map_or(0, |label| label.offset() as usize);
        let cure = error.help.as_ref().map(ToString::to_string);
        let fault = Fault::syntax(error.message.to_string()).at(Position::of(source, offset));
        return Err(match cure {
            Some(cure) => fault.cure(cure),
            None => fault,
        });
    }
    let mut names = Names { clash: None };
    names.visit_program(&parsed.program);
    if let Some((name, offset)) = names.clash {
        return Err(Fault::syntax(format!("`{name}` has already been declared"))
            .at(Position::of(source, offset))
            .cure(format!("the function has `{name}` as an argument already: give this one another name, such as `{name}Value`")));
    }
    if !is_typed {
        return Ok(source.to_owned());
    }
    let mut used = Used(HashSet::new());
    used.visit_program(&parsed.program);
    let mut types = Types { source, used: used.0, blanks: Vec::new(), unsupported: None };
    types.visit_program(&parsed.program);
    match types.unsupported {
        Some((what, offset)) => Err(Fault::syntax(format!("{what} is more than a type"))
            .at(Position::of(source, offset))
            .cure("only types are taken out of TypeScript: write it as plain JavaScript")),
        None => Ok(blanked(source, types.blanks)),
    }
}

/// Looks for constants and variables with the name of an argument of their function, which is an error as soon as the
/// program is read (ECMAScript §15.2.1), and which the engine tells only when it comes there.
struct Names<'a> {
    clash: Option<(&'a str, usize)>,
}

impl<'a> Names<'a> {
    fn compare(&mut self, parameters: &FormalParameters<'a>, statements: &[Statement<'a>]) {
        let mut arguments: Vec<_> =
            parameters.items.iter().flat_map(|it| it.pattern.get_binding_identifiers()).collect();
        if let Some(rest) = &parameters.rest {
            arguments.extend(rest.rest.argument.get_binding_identifiers());
        }
        let declared = statements.iter().filter_map(|statement| match statement {
            Statement::VariableDeclaration(it) if it.kind.is_lexical() => Some(it),
            _ => None,
        });
        for name in declared.flat_map(|it| &it.declarations).flat_map(|it| it.id.get_binding_identifiers()) {
            if arguments.iter().any(|argument| argument.name == name.name) {
                self.clash.get_or_insert((name.name.as_str(), name.span.start as usize));
            }
        }
    }
}

impl<'a> Visit<'a> for Names<'a> {
    fn visit_function(&mut self, it: &Function<'a>, flags: oxc_syntax::scope::ScopeFlags) {
        if let Some(body) = &it.body {
            self.compare(&it.params, &body.statements);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_arrow_function_expression(&mut self, it: &ArrowFunctionExpression<'a>) {
        if let ArrowFunctionBody::FunctionBody(body) = &it.body {
            self.compare(&it.params, &body.statements);
        }
        walk::walk_arrow_function_expression(self, it);
    }
}

/// A piece of the source that is a type.
struct Blank {
    place: Range<usize>,
    /// Where a statement was, one remains, so that its neighbours do not run together.
    is_statement: bool,
}

fn blanked(source: &str, mut blanks: Vec<Blank>) -> String {
    blanks.sort_by_key(|blank| blank.place.start);
    let mut text = String::with_capacity(source.len());
    let mut at = 0;
    for Blank { place, is_statement } in blanks {
        if place.end <= at || place.start < at {
            continue;
        }
        text.push_str(source.get(at..place.start).unwrap_or_default());
        let mut is_first = is_statement;
        for c in source.get(place.clone()).unwrap_or_default().chars() {
            text.push(match c {
                '\n' | '\r' | '\u{2028}' | '\u{2029}' => c,
                _ if is_first => ';',
                _ => ' ',
            });
            is_first = false;
        }
        at = place.end;
    }
    text.push_str(source.get(at..).unwrap_or_default());
    text
}

/// The names that the program uses as values.
struct Used<'a>(HashSet<&'a str>);

impl<'a> Visit<'a> for Used<'a> {
    fn visit_identifier_reference(&mut self, it: &IdentifierReference<'a>) {
        self.0.insert(it.name.as_str());
    }

    fn visit_export_specifier(&mut self, it: &ExportSpecifier<'a>) {
        if it.export_kind.is_value() {
            walk::walk_export_specifier(self, it);
        }
    }

    fn visit_ts_type_annotation(&mut self, _: &TSTypeAnnotation<'a>) {}
    fn visit_ts_type(&mut self, _: &TSType<'a>) {}
    fn visit_ts_type_parameter_instantiation(&mut self, _: &TSTypeParameterInstantiation<'a>) {}
    fn visit_ts_type_parameter_declaration(&mut self, _: &TSTypeParameterDeclaration<'a>) {}
    fn visit_ts_type_alias_declaration(&mut self, _: &TSTypeAliasDeclaration<'a>) {}
    fn visit_ts_interface_declaration(&mut self, _: &TSInterfaceDeclaration<'a>) {}
    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}
}

/// Finds the types.
struct Types<'s, 'a> {
    source: &'s str,
    used: HashSet<&'a str>,
    blanks: Vec<Blank>,
    unsupported: Option<(&'static str, usize)>,
}

impl Types<'_, '_> {
    fn blank(&mut self, start: u32, end: u32) {
        self.blanks.push(Blank { place: start as usize..end as usize, is_statement: false });
    }

    fn span(&mut self, span: Span) {
        self.blank(span.start, span.end);
    }

    fn statement(&mut self, span: Span) {
        self.blanks.push(Blank { place: span.start as usize..span.end as usize, is_statement: true });
    }

    fn refuse(&mut self, what: &'static str, span: Span) {
        self.unsupported.get_or_insert((what, span.start as usize));
    }

    /// What stands between a name and what follows it: `?`, `!` and the type.
    fn after_name(&mut self, name_end: u32, annotation: Option<Span>) {
        if let Some(annotation) = annotation {
            return self.blank(name_end, annotation.end);
        }
        let rest = self.source.get(name_end as usize..).unwrap_or_default();
        let mark = rest.trim_start();
        if mark.starts_with(['?', '!']) {
            let start = name_end + u32::try_from(rest.len() - mark.len()).unwrap_or_default();
            self.blank(start, start + 1);
        }
    }

    /// `private`, `readonly` and the like in front of a member.
    fn modifiers(&mut self, start: u32, end: u32) {
        let mut at = start as usize;
        let text = self.source.get(at..end as usize).unwrap_or_default();
        for piece in text.split_inclusive(|c: char| !c.is_ascii_alphanumeric()) {
            let word = piece.trim_end_matches(|c: char| !c.is_ascii_alphanumeric());
            if MODIFIERS.contains(&word) {
                self.blanks.push(Blank { place: at..at + word.len(), is_statement: false });
            }
            at += piece.len();
        }
    }

    /// A list of names, some of which are types: they go with the comma behind them.
    fn names<'n>(&mut self, all: impl Iterator<Item = (Span, bool)> + 'n) {
        for (span, is_type) in all {
            if !is_type {
                continue;
            }
            let rest = self.source.get(span.end as usize..).unwrap_or_default();
            let comma = rest.trim_start().starts_with(',');
            let length = if comma { rest.find(',').map_or(0, |at| at + 1) } else { 0 };
            self.blank(span.start, span.end + u32::try_from(length).unwrap_or_default());
        }
    }
}

impl<'a> Visit<'a> for Types<'_, 'a> {
    fn visit_ts_type_annotation(&mut self, it: &TSTypeAnnotation<'a>) {
        self.span(it.span);
    }

    fn visit_ts_type_parameter_declaration(&mut self, it: &TSTypeParameterDeclaration<'a>) {
        self.span(it.span);
    }

    fn visit_ts_type_parameter_instantiation(&mut self, it: &TSTypeParameterInstantiation<'a>) {
        self.span(it.span);
    }

    fn visit_ts_as_expression(&mut self, it: &TSAsExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.expression.span().end, it.span.end);
    }

    fn visit_ts_satisfies_expression(&mut self, it: &TSSatisfiesExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.expression.span().end, it.span.end);
    }

    fn visit_ts_non_null_expression(&mut self, it: &TSNonNullExpression<'a>) {
        self.visit_expression(&it.expression);
        self.blank(it.expression.span().end, it.span.end);
    }

    fn visit_ts_type_assertion(&mut self, it: &TSTypeAssertion<'a>) {
        self.blank(it.span.start, it.expression.span().start);
        self.visit_expression(&it.expression);
    }

    fn visit_ts_type_alias_declaration(&mut self, it: &TSTypeAliasDeclaration<'a>) {
        self.statement(it.span);
    }

    fn visit_ts_interface_declaration(&mut self, it: &TSInterfaceDeclaration<'a>) {
        self.statement(it.span);
    }

    fn visit_ts_global_declaration(&mut self, it: &TSGlobalDeclaration<'a>) {
        self.statement(it.span);
    }

    fn visit_ts_external_module_declaration(&mut self, it: &TSExternalModuleDeclaration<'a>) {
        self.statement(it.span);
    }

    fn visit_ts_enum_declaration(&mut self, it: &TSEnumDeclaration<'a>) {
        if it.declare { self.statement(it.span) } else { self.refuse("`enum`", it.span) }
    }

    fn visit_ts_namespace_declaration(&mut self, it: &TSNamespaceDeclaration<'a>) {
        if it.declare { self.statement(it.span) } else { self.refuse("`namespace`", it.span) }
    }

    fn visit_ts_import_equals_declaration(&mut self, it: &TSImportEqualsDeclaration<'a>) {
        self.refuse("`import … = `", it.span);
    }

    fn visit_ts_export_assignment(&mut self, it: &TSExportAssignment<'a>) {
        self.refuse("`export =`", it.span);
    }

    fn visit_decorator(&mut self, it: &Decorator<'a>) {
        self.refuse("a decorator", it.span);
    }

    fn visit_export_declaration(&mut self, it: &ExportDeclaration<'a>) {
        let before = self.blanks.len();
        walk::walk_export_declaration(self, it);
        // `export interface …`: the word in front goes too.
        if let Some(blank) = self.blanks.get_mut(before).filter(|blank| blank.is_statement)
            && blank.place.end == it.span.end as usize
        {
            blank.place.start = it.span.start as usize;
        }
    }

    fn visit_export_named_declaration(&mut self, it: &ExportNamedDeclaration<'a>) {
        if it.export_kind.is_type() {
            return self.statement(it.span);
        }
        self.names(it.specifiers.iter().map(|name| (name.span, name.export_kind.is_type())));
    }

    fn visit_import_declaration(&mut self, it: &ImportDeclaration<'a>) {
        if it.import_kind.is_type() {
            return self.statement(it.span);
        }
        let Some(names) = &it.specifiers else { return };
        let is_type = |name: &ImportDeclarationSpecifier<'a>| {
            let said =
                matches!(name, ImportDeclarationSpecifier::ImportSpecifier(it) if it.import_kind.is_type());
            said || !self.used.contains(name.local().name.as_str())
        };
        let found: Vec<_> = names.iter().map(|name| (name.span(), is_type(name))).collect();
        if !found.is_empty() && found.iter().all(|(_, is_type)| *is_type) {
            return self.statement(it.span);
        }
        // A default import that is a type leaves its place to the others only with another word in it.
        self.names(found.into_iter());
    }

    fn visit_variable_declaration(&mut self, it: &VariableDeclaration<'a>) {
        if it.declare {
            return self.statement(it.span);
        }
        walk::walk_variable_declaration(self, it);
    }

    fn visit_variable_declarator(&mut self, it: &VariableDeclarator<'a>) {
        if it.type_annotation.is_some() || it.definite {
            self.after_name(it.id.span().end, it.type_annotation.as_ref().map(|it| it.span));
        }
        self.visit_binding_pattern(&it.id);
        if let Some(init) = &it.init {
            self.visit_expression(init);
        }
    }

    fn visit_formal_parameter(&mut self, it: &FormalParameter<'a>) {
        if it.accessibility.is_some() || it.readonly || it.r#override {
            self.refuse("a parameter that is a property", it.span);
        }
        for decorator in &it.decorators {
            self.visit_decorator(decorator);
        }
        if it.type_annotation.is_some() || it.optional {
            self.after_name(it.pattern.span().end, it.type_annotation.as_ref().map(|it| it.span));
        }
        self.visit_binding_pattern(&it.pattern);
        if let Some(init) = &it.initializer {
            self.visit_expression(init);
        }
    }

    fn visit_ts_this_parameter(&mut self, it: &TSThisParameter<'a>) {
        self.names(std::iter::once((it.span, true)));
    }

    fn visit_function(&mut self, it: &Function<'a>, flags: oxc_syntax::scope::ScopeFlags) {
        // An overload: a head without a body.
        if it.declare || it.body.is_none() {
            return self.statement(it.span);
        }
        walk::walk_function(self, it, flags);
    }

    fn visit_class(&mut self, it: &Class<'a>) {
        if it.declare {
            return self.statement(it.span);
        }
        if it.r#abstract {
            self.modifiers(it.span.start, it.id.as_ref().map_or(it.body.span.start, |id| id.span.start));
        }
        if let (Some(first), Some(last)) = (it.implements.first(), it.implements.last()) {
            let head = self.source.get(..first.span.start as usize).unwrap_or_default();
            let start = head.rfind("implements").and_then(|at| u32::try_from(at).ok());
            self.blank(start.unwrap_or(first.span.start), last.span.end);
        }
        walk::walk_class(self, it);
    }

    fn visit_ts_class_implements(&mut self, _: &TSClassImplements<'a>) {}

    fn visit_ts_index_signature(&mut self, it: &TSIndexSignature<'a>) {
        self.statement(it.span);
    }

    fn visit_method_definition(&mut self, it: &MethodDefinition<'a>) {
        if it.value.body.is_none() {
            return self.statement(it.span);
        }
        self.modifiers(it.span.start, it.key.span().start);
        if it.optional {
            let end = self.key_end(it.key.span(), it.computed);
            self.after_name(end, None);
        }
        walk::walk_method_definition(self, it);
    }

    fn visit_property_definition(&mut self, it: &PropertyDefinition<'a>) {
        if it.declare || it.r#type == PropertyDefinitionType::TSAbstractPropertyDefinition {
            return self.statement(it.span);
        }
        self.modifiers(it.span.start, it.key.span().start);
        if it.optional || it.definite || it.type_annotation.is_some() {
            let end = self.key_end(it.key.span(), it.computed);
            self.after_name(end, it.type_annotation.as_ref().map(|it| it.span));
        }
        self.visit_property_key(&it.key);
        if let Some(value) = &it.value {
            self.visit_expression(value);
        }
    }
}

impl Types<'_, '_> {
    fn key_end(&self, key: Span, computed: bool) -> u32 {
        let rest = self.source.get(key.end as usize..).unwrap_or_default();
        let bracket = rest.find(']').and_then(|at| u32::try_from(at + 1).ok());
        key.end + bracket.filter(|_| computed).unwrap_or_default()
    }
}

const MODIFIERS: &[&str] = &["public", "private", "protected", "readonly", "override", "abstract", "declare"];

#[cfg(test)]
mod tests;
