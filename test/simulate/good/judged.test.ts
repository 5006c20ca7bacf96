import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { makeGoodWorld } from './good-world.ts';
import { openSingleJudge, type SingleJudge } from '../judge-one.ts';
import { renderWorld } from '../render-world.ts';

const worlds = Number(process.env['GOOD_WORLDS'] ?? 12); // thousands are judged by npm run soundness

describe('a good world', () => {
  let judge: SingleJudge;
  beforeAll(async () => {
    judge = await openSingleJudge();
  });
  afterAll(async () => {
    await judge.close();
  });

  it.each(Array.from({ length: worlds }, (_, index) => `judged-${index}`))('is proven: %s', async (seed) => {
    const form = seed.endsWith('0') ? 'export' : 'lean';
    const report = await judge.judge(renderWorld(makeGoodWorld(seed), form));
    const open = report.claims.filter(({ result }) => result !== 'holds');
    expect(open).toEqual([]);
    expect(report.verdict).toBe('proven');
  });
});
