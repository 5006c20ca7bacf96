import js from '@eslint/js';
import tseslint from 'typescript-eslint';

/**
 * What a room of the house may import (style: imports point inward). `node` lists the Node built-ins it may use. A room
 * inside another has rules of its own.
 */
const rooms = {
  model: { from: [], node: [], packages: ['zod', 'yaml', 'ipaddr.js'] },
  proof: { from: ['model'], node: [], packages: [] },
  report: { from: ['model'], node: [], packages: [] },
  refine: { from: ['model'], node: [], packages: [] },
  query: { from: ['model'], packages: ['@duckdb/node-api'] },
  evidence: { from: ['model', 'query'], packages: ['@duckdb/node-api', 'canonicalize'] },
  sources: { from: ['model', 'query', 'evidence'] },
  attest: { from: ['model', 'evidence', 'query'] },
  judge: { from: ['model', 'query', 'evidence', 'sources', 'proof', 'attest'] },
  telemetry: { from: ['model'], node: ['crypto'], packages: ['@opentelemetry/semantic-conventions'] },
  'telemetry/otlp': { from: ['model', 'telemetry'] },
  collect: {
    from: [
      'model',
      'query',
      'evidence',
      'sources',
      'proof',
      'attest',
      'judge',
      'report',
      'telemetry',
      'telemetry/otlp',
    ],
  },
};
const all = [...Object.keys(rooms), 'cli'];
const inside = (room) => Object.keys(rooms).filter((other) => other.startsWith(`${room}/`));

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'out', 'coverage', 'test/bench/*.mjs', 'test/interop/go'] },
  js.configs.recommended,
  ...tseslint.configs.strictTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/no-confusing-void-expression': ['error', { ignoreArrowShorthand: true }],
      'no-console': 'error',
      'no-control-regex': 'off', // control characters in hostile text are what several patterns look for
    },
  },
  ...Object.entries(rooms).map(([room, { from, node }]) => ({
    files: [`src/${room}/**/*.ts`],
    ignores: inside(room).map((other) => `src/${other}/**`),
    rules: {
      'no-restricted-imports': [
        'error',
        {
          patterns: [
            {
              regex: `^\\.\\./(\\.\\./)*(${all.filter((r) => r !== room && !from.includes(r)).join('|')})/`,
              message: `src/${room} may import only from: ${[room, ...from].join(', ')} (imports point inward).`,
            },
            ...inside(room).map((other) => ({
              regex: `^\\./${other.slice(room.length + 1)}/`,
              message: `src/${room} does not import from src/${other} (imports point inward).`,
            })),
            ...(node === undefined
              ? []
              : [
                  {
                    regex: `^node:${node.length === 0 ? '' : `(?!(${node.join('|')})$)`}`,
                    message: `src/${room} does no I/O and reads no clock.`,
                  },
                ]),
          ],
        },
      ],
      ...(node === undefined
        ? {}
        : {
            'no-restricted-properties': [
              'error',
              { object: 'Date', property: 'now', message: 'Time is an argument here.' },
              { object: 'Math', property: 'random', message: 'Randomness is an argument here.' },
            ],
            'no-restricted-globals': ['error', 'process'],
          }),
    },
  })),
  {
    files: ['assets/**/*.js'],
    languageOptions: { sourceType: 'script' }, // one script in parts: what a part has at its top is there for the others
    rules: {
      'no-undef': 'off', // of a browser: `tsc -p assets` knows its globals
      '@typescript-eslint/no-unused-vars': ['error', { vars: 'local' }],
    },
  },
  { files: ['eslint.config.js', '**/*.mjs'], ...tseslint.configs.disableTypeChecked },
);
