/** DuckDB's parse tree as `json_serialize_sql` gives it, as far as the partitioning looks into it. */

export type Tree = null | boolean | number | string | readonly Tree[] | { readonly [key: string]: Tree };

/** Anything with a class: columns, constants, functions, subqueries … */
export type Expression = { readonly class: string; readonly type: string } & { readonly [key: string]: Tree };

export type QueryNode = SelectNode | SetOperationNode | RecursiveNode;

interface NodeBase {
  readonly modifiers: readonly Modifier[];
  readonly cte_map: { readonly map: readonly Cte[] };
}

export type SelectNode = NodeBase & {
  readonly type: 'SELECT_NODE';
  readonly select_list: readonly Expression[];
  readonly from_table: TableRef;
  readonly where_clause: Expression | null;
  readonly group_expressions: readonly Expression[];
  readonly group_sets: readonly (readonly number[])[];
  readonly aggregate_handling: string;
  readonly having: Expression | null;
  readonly qualify: Expression | null;
};

export type SetOperationNode = NodeBase & {
  readonly type: 'SET_OPERATION_NODE';
  readonly left: QueryNode;
  readonly right: QueryNode;
};

export type RecursiveNode = NodeBase & {
  readonly type: 'RECURSIVE_CTE_NODE';
  readonly cte_name: string;
  readonly left: QueryNode;
  readonly right: QueryNode;
  readonly aliases: readonly string[];
  readonly key_targets: readonly Expression[];
};

export interface Cte {
  readonly key: string;
  readonly value: {
    readonly aliases: readonly string[];
    readonly query: { readonly node: QueryNode };
    readonly key_targets: readonly Expression[];
  };
}

export type Modifier =
  | { readonly type: 'DISTINCT_MODIFIER'; readonly distinct_on_targets: readonly Expression[] }
  | { readonly type: 'ORDER_MODIFIER'; readonly orders: readonly Tree[] }
  | { readonly type: 'LIMIT_MODIFIER' | 'LIMIT_PERCENT_MODIFIER' };

export type TableRef = BaseTable | SubqueryTable | Join | OtherTable;

export interface BaseTable {
  readonly type: 'BASE_TABLE';
  readonly alias: string;
  readonly table_name: string;
  readonly schema_name: string;
  readonly column_name_alias: readonly string[];
}

export interface SubqueryTable {
  readonly type: 'SUBQUERY';
  readonly alias: string;
  readonly subquery: { readonly node: QueryNode };
  readonly column_name_alias: readonly string[];
}

export interface Join {
  readonly type: 'JOIN';
  readonly left: TableRef;
  readonly right: TableRef;
  readonly condition: Expression | null;
  readonly join_type: string;
  readonly ref_type: string;
  readonly using_columns: readonly string[];
}

/** VALUES, table functions, and no FROM at all: they hold no rows of a world. */
export interface OtherTable {
  readonly type: 'EMPTY' | 'EXPRESSION_LIST' | 'TABLE_FUNCTION';
  readonly alias: string;
}

export function column(table: string, name: string): Expression {
  return { class: 'COLUMN_REF', type: 'COLUMN_REF', alias: '', column_names: [table, name] };
}

export function named(expression: Expression, alias: string): Expression {
  return { ...expression, alias };
}

export function equal(left: Expression, right: Expression): Expression {
  return { class: 'COMPARISON', type: 'COMPARE_EQUAL', alias: '', left, right };
}

/** What all of them say; null of nothing. */
export function allOf(...conditions: readonly (Expression | null)[]): Expression | null {
  const children = conditions.filter((condition) => condition !== null);
  if (children.length < 2) return children[0] ?? null;
  return { class: 'CONJUNCTION', type: 'CONJUNCTION_AND', alias: '', children };
}

export function coalesce(...children: readonly Expression[]): Expression {
  return { class: 'OPERATOR', type: 'OPERATOR_COALESCE', alias: '', children };
}

export function integer(value: number): Expression {
  const type = { id: 'INTEGER', type_info: null };
  return { class: 'CONSTANT', type: 'VALUE_CONSTANT', alias: '', value: { type, is_null: false, value } };
}

export function baseTable(table: string, alias: string): BaseTable {
  const base = { type: 'BASE_TABLE', alias, sample: null, schema_name: '', table_name: table } as const;
  return { ...base, column_name_alias: [], catalog_name: '', at_clause: null } as BaseTable;
}

export function join(left: TableRef, right: TableRef, type: 'INNER' | 'LEFT', condition: Expression | null): Join {
  const form = { join_type: type, ref_type: condition === null ? 'CROSS' : 'REGULAR', using_columns: [] };
  const rest = { alias: '', sample: null, delim_flipped: false, duplicate_eliminated_columns: [] };
  return { type: 'JOIN', left, right, condition, ...form, ...rest };
}

export function subqueryTable(node: QueryNode, alias: string): SubqueryTable {
  const subquery = { node, named_param_map: [] };
  return { type: 'SUBQUERY', alias, sample: null, subquery, column_name_alias: [] } as SubqueryTable;
}

/** `SELECT <list> FROM <table> WHERE <condition>`. */
export function select(list: readonly Expression[], from: TableRef, where: Expression | null): SelectNode {
  const plain = { modifiers: [], cte_map: { map: [] }, group_expressions: [], group_sets: [], having: null };
  const rest = { aggregate_handling: 'STANDARD_HANDLING', sample: null, qualify: null };
  return { type: 'SELECT_NODE', select_list: list, from_table: from, where_clause: where, ...plain, ...rest };
}

/** `* EXCLUDE (<name>)`. */
export function allBut(name: string): Expression {
  const lists = { replace_list: [], qualified_exclude_list: [], rename_list: [] };
  const star = { relation_name: '', exclude_list: [name], columns: false, expr: null };
  return { class: 'STAR', type: 'STAR', alias: '', ...star, ...lists };
}

/** A part that is text; '' where it is none. */
export function textOf(tree: Tree | undefined): string {
  return typeof tree === 'string' ? tree : '';
}

export function isExpression(tree: Tree): tree is Expression {
  return typeof tree === 'object' && tree !== null && 'class' in tree;
}

/**
 * The tree with every outermost expression for which `change` gives another one replaced by that. Where it gives undefined,
 * its parts are looked at.
 */
export function mapExpressions<T>(tree: T, change: (expression: Expression) => Expression | undefined): T {
  const visit = (part: Tree): Tree => {
    if (Array.isArray(part)) return (part as readonly Tree[]).map(visit);
    if (typeof part !== 'object' || part === null) return part;
    const changed = isExpression(part) ? change(part) : undefined;
    if (changed !== undefined) return changed;
    return Object.fromEntries(Object.entries(part).map(([key, value]) => [key, visit(value)]));
  };
  return visit(tree as Tree) as T;
}
