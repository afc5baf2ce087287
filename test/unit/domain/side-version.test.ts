// Which version a declared side runs, by what was captured of it.
import { describe, expect, it } from 'vitest';
import type { KnownGood, Release } from '../../../lambdas/domain/vocabulary.ts';
import { versionOnSide } from '../../../lambdas/domain/side-version.ts';
import { minute, release } from './samples.ts';

const share = (state: KnownGood['states'][string]) => state['blue'] as 'all' | 'some' | 'none' | null;
type Share = ReturnType<typeof share>;
/** A release that began at this minute and was finished five minutes later. */
const gone = (version: string, m: number, blue: Share | undefined, over: Partial<Release> = {}): Release =>
  ({ ...release({ id: `r-${version}`, version, startedAt: minute(m), finishedAt: minute(m + 5) }), left: blue === undefined ? null : { web: { blue } }, ...over });
const running = (version: string, m: number) => gone(version, m, undefined, { status: 'in-progress', finishedAt: null });
const known = (version: string, m: number, blue: Share, over: Partial<KnownGood> = {}): KnownGood => ({ version, since: minute(m), basis: 'baked', states: { web: { blue } }, ...over });

describe('the version of a declared side', () => {
  it.each<[string, Release[], KnownGood[], string | null]>([
    ['is not known of a service without a record', [], [], null],
    ['is what was released to all users on it', [gone('v1', 0, 'all')], [], 'v1'],
    ['is what was live on it when the next release began', [running('v2', 70)], [known('v1', 0, 'all', { basis: 'observed' })], 'v1'],
    ['is not known where the capture may be the release itself', [running('v2', 70)], [known('v1', 0, 'all', { basis: 'observed', unproven: { releaseId: 'r-v2', targets: ['web'] } })], null],
    ['stays when a release goes out beside it', [gone('v2', 70, 'none'), gone('v1', 0, 'all')], [known('v1', 5, 'all')], 'v1'],
    ['stays over several of them', [gone('v3', 140, 'none'), gone('v2', 70, 'none'), gone('v1', 0, 'all')], [], 'v1'],
    ['stays while one goes out', [running('v2', 70), gone('v1', 0, 'all')], [], 'v1'],
    ['is what was promoted to it', [gone('v3', 140, 'none'), gone('v2', 70, 'all'), gone('v1', 0, 'all')], [known('v1', 5, 'all')], 'v2'],
    ['is not known while one goes out over another beside it: it may take the free side', [running('v3', 140), gone('v2', 70, 'none'), gone('v1', 0, 'all')], [], null],
    ['is not known after a release of which nothing was captured', [gone('v3', 140, 'none'), gone('v2', 70, undefined), gone('v1', 0, 'all')], [], null],
    ['is not known after a release that shared the traffic out', [gone('v2', 70, 'some'), gone('v1', 0, 'all')], [], null],
    ['is not known after a capture that says nothing of it', [gone('v2', 70, null), gone('v1', 0, 'all')], [], null],
    ['is not that of a release that failed', [gone('v1', 0, 'all', { status: 'failed' })], [], null],
    ['is not that of a version known good elsewhere', [], [known('v1', 0, 'none')], null],
    ['is not known where a release began before the last one to it was over', [gone('v2', 2, undefined, { id: 'r-a' }), gone('v3', 3, 'none'), gone('v1', 0, 'all')], [], null],
  ])('%s', (_what, releases, knownGoods, version) => {
    const found = versionOnSide('web', { releases, knownGoods }, share, null);
    expect(found?.version ?? null).toBe(version);
    expect(versionOnSide('app', { releases, knownGoods }, share, null)).toBeNull();
  });

  it('is not known where releases since were not read', () => {
    const ledger = { releases: [gone('v3', 140, 'none'), gone('v2', 70, 'none')], knownGoods: [known('v1', 5, 'all')] };
    expect(versionOnSide('web', ledger, share, null)).toEqual({ version: 'v1', since: minute(5) });
    expect(versionOnSide('web', ledger, share, minute(70))).toBeNull();
    expect(versionOnSide('web', ledger, share, minute(5))).toEqual({ version: 'v1', since: minute(5) });
  });
});
