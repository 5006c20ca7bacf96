import { expect, test } from 'vitest';
import { openJudgedCase } from '../cases/judged-case.ts';
import { spansOf } from './reports.ts';

const context = '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01';

test('a TRACEPARENT that the sensor saw in a process’s environment is in the report, and the task hangs under it', async () => {
  const opened = await openJudgedCase('c01-benign');
  try {
    const plain = await opened.judge({});
    const first = plain.processes[0]?.execId ?? '';
    expect(plain.processes.some(({ traceparent }) => traceparent !== undefined)).toBe(false);
    const judgeWith = async (name: string, value: string): ReturnType<typeof opened.judge> => {
      const variable = `"environment_variables":[${JSON.stringify({ Key: name, Value: value })}, `;
      const isFirst = `"process":{"exec_id":${JSON.stringify(first)}`;
      const tetragon = opened.evidence.tetragon.map((line) =>
        line.includes(isFirst) ? line.replace('"environment_variables":[', variable) : line,
      );
      expect(tetragon).not.toEqual(opened.evidence.tetragon);
      return opened.judge({ tetragon });
    };

    const report = await judgeWith('TRACEPARENT', context);
    expect(report.verdict).toBe(plain.verdict);
    expect(report.processes[0]?.traceparent).toBe(context);
    const [root, ...rest] = spansOf(report);
    expect(root?.parent).toEqual({ spanId: 'b7ad6b7169203331', remote: true });
    expect(rest.every(({ traceId }) => traceId === root?.traceId)).toBe(true);

    // neither what is no traceparent, nor one that hides in another variable's value
    for (const [name, value] of [
      ['TRACEPARENT', 'DROP TABLE process'],
      ['TRACEPARENT', `${context}"]`],
      ['X', `["TRACEPARENT","${context}"]`],
    ] as const) {
      const other = await judgeWith(name, value);
      expect(other.processes.some(({ traceparent }) => traceparent !== undefined)).toBe(false);
    }
  } finally {
    await opened.close();
  }
});
