/** The configuration: every mistake stops the start with a sentence that names the setting. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ConfigError, readConfig, SETTINGS } from '../src/config.ts';

const KEY = `sk_live_${'a'.repeat(32)}`;

describe('the configuration', () => {
  it('has a default for every setting', () => {
    expect(readConfig({})).toEqual({
      host: '127.0.0.1',
      port: 8080,
      publicUrl: null,
      dataDir: './data',
      databaseUrl: null,
      roles: ['api', 'worker', 'lines'],
      bootstrapApiKey: null,
      ownerEmail: 'owner@localhost',
      simulator: true,
      sandboxLine: '+15550100000',
      secretKey: null,
      rateLimitPerHour: 1000,
      sinkNetworks: { ranges: ['127.0.0.0/8', '::1/128'], hosts: [] },
      bucket: null,
      fileLimitMb: 100,
      retentionDays: 30,
      metrics: false,
      logLevel: 'info',
    });
  });

  it('has a sentence for every setting', () => {
    for (const setting of Object.values(SETTINGS)) expect(setting.sentence).toMatch(/^[A-Za-z].*\.$/);
  });

  it('ignores what is not meant for it', () => {
    const environment = { PATH: '/bin', PORT: '99999', TRUNKLINE_URL: 'http://x', TRUNKLINE_API_KEY: KEY };
    expect(readConfig({ ...environment, TRUNKLINE_BRIDGE_TOKEN: 'dtk_x' })).toEqual(readConfig({}));
  });

  it.each([
    ['s3://k:s@host/bucket', { endpoint: 'https://host', region: 'us-east-1', secretAccessKey: 's' }],
    ['s3://k:a%2Fb%2B@host:9000/bucket/', { endpoint: 'https://host:9000', secretAccessKey: 'a/b+' }],
    ['s3://k:s@host/bucket?region=auto', { region: 'auto' }],
    ['s3://k:s@host/bucket?endpoint=http://127.0.0.1:9000', { endpoint: 'http://127.0.0.1:9000' }],
  ])('reads the bucket %s', (address, expected) => {
    const { bucket } = readConfig({ TRUNKLINE_BLOBS_URL: address });
    expect(bucket).toMatchObject({ accessKeyId: 'k', name: 'bucket', ...expected });
  });

  it.each([
    ['by default', {}, true],
    ['on another loopback address', { TRUNKLINE_HOST: '127.0.0.2' }, true],
    ['on localhost', { TRUNKLINE_HOST: 'localhost', TRUNKLINE_PUBLIC_URL: '' }, true],
    ['on ::1', { TRUNKLINE_HOST: '::1' }, true],
    ['listening on every address', { TRUNKLINE_HOST: '0.0.0.0' }, false],
    ['listening on every address of IPv6', { TRUNKLINE_HOST: '::' }, false],
    ['listening on a name', { TRUNKLINE_HOST: 'trunkline.internal' }, false],
    ['behind a public URL', { TRUNKLINE_PUBLIC_URL: 'https://trunkline.example' }, false],
    ['told of no network', { TRUNKLINE_SINK_NETWORKS: '' }, false],
    ['public and told of loopback', { TRUNKLINE_HOST: '0.0.0.0', TRUNKLINE_SINK_NETWORKS: 'loopback' }, true],
  ])('lets webhooks reach this machine as it should %s', (_when, environment, expected) => {
    const { ranges, hosts } = readConfig(environment).sinkNetworks;
    expect(ranges.length > 0).toBe(expected);
    expect(hosts).toEqual([]);
  });

  it('refuses a name that it does not know, and lists those that it does', () => {
    expect(() => readConfig({ TRUNKLINE_PROT: '8080' })).toThrow(ConfigError);
    expect(() => readConfig({ TRUNKLINE_PROT: '8080' })).toThrow(
      /^There is no setting TRUNKLINE_PROT\. .*TRUNKLINE_PORT/,
    );
    expect(() => readConfig({ TRUNKLINE_PORT_FILE: '/run/port' })).toThrow(/There is no setting TRUNKLINE_PORT_FILE/);
  });

  it.each([
    ['TRUNKLINE_PORT', 'eighty'],
    ['TRUNKLINE_PORT', '65536'],
    ['TRUNKLINE_PORT', '-1'],
    ['TRUNKLINE_PORT', ''],
    ['TRUNKLINE_HOST', ''],
    ['TRUNKLINE_PUBLIC_URL', 'example.com'],
    ['TRUNKLINE_DATABASE_URL', 'mysql://localhost/x'],
    ['TRUNKLINE_BLOBS_URL', 'https://host/bucket'],
    ['TRUNKLINE_BLOBS_URL', 's3://host/bucket'],
    ['TRUNKLINE_BLOBS_URL', 's3://k@host/bucket'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:s@host'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:s@host/bucket/folder'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:s@host/bucket?acl=public'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:s@host/bucket?endpoint=ftp://host'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:s@host/bucket?endpoint=https://host/path'],
    ['TRUNKLINE_BLOBS_URL', 's3://k:%ZZ@host/bucket'],
    ['TRUNKLINE_ROLES', 'api,janitor'],
    ['TRUNKLINE_ROLES', ''],
    ['TRUNKLINE_BOOTSTRAP_API_KEY', 'secret'],
    ['TRUNKLINE_BOOTSTRAP_API_KEY', 'sk_live_short'],
    ['TRUNKLINE_OWNER_EMAIL', 'nobody'],
    ['TRUNKLINE_SIMULATOR', 'yes'],
    ['TRUNKLINE_SANDBOX_LINE', 'not a handle'],
    ['TRUNKLINE_FILE_LIMIT_MB', '0'],
    ['TRUNKLINE_FILE_LIMIT_MB', '1.5'],
    ['TRUNKLINE_RETENTION_DAYS', '0'],
    ['TRUNKLINE_RETENTION_DAYS', '3651'],
    ['TRUNKLINE_RETENTION_DAYS', 'forever'],
    ['TRUNKLINE_METRICS', 'yes'],
    ['TRUNKLINE_LOG_LEVEL', 'loud'],
    ['TRUNKLINE_SINK_NETWORKS', '10.0.0.1/8'],
    ['TRUNKLINE_SINK_NETWORKS', 'everything,'],
    ['TRUNKLINE_SINK_NETWORKS', 'https://receiver'],
  ])('refuses %s=%j by name', (name, value) => {
    expect(() => readConfig({ [name]: value })).toThrow(ConfigError);
    expect(() => readConfig({ [name]: value })).toThrow(new RegExp(`^${name} cannot be used: `));
  });

  it('never shows the value of a secret in its refusal', () => {
    for (const name of ['TRUNKLINE_BOOTSTRAP_API_KEY', 'TRUNKLINE_DATABASE_URL']) {
      expect(() => readConfig({ [name]: 'hunter2' })).toThrow(/^(?!.*hunter2)/);
    }
    expect(() => readConfig({ TRUNKLINE_BLOBS_URL: 's3://k:hunter2@host' })).toThrow(/^(?!.*hunter2)/);
  });

  it('takes a secret from the file that its twin names, without the line’s end', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'trunkline-test-'));
    const file = join(folder, 'key');
    await writeFile(file, `${KEY}\n`);
    expect(readConfig({ TRUNKLINE_BOOTSTRAP_API_KEY_FILE: file }).bootstrapApiKey).toBe(KEY);
    expect(() => readConfig({ TRUNKLINE_BOOTSTRAP_API_KEY_FILE: file, TRUNKLINE_BOOTSTRAP_API_KEY: KEY })).toThrow(
      'Set TRUNKLINE_BOOTSTRAP_API_KEY or TRUNKLINE_BOOTSTRAP_API_KEY_FILE, not both.',
    );
    expect(() => readConfig({ TRUNKLINE_DATABASE_URL_FILE: join(folder, 'none') })).toThrow(
      /^TRUNKLINE_DATABASE_URL_FILE names a file that cannot be read/,
    );
    await rm(folder, { recursive: true });
  });

  it('starts beside the variables that Kubernetes sets for a service called trunkline', () => {
    const kubernetes = {
      TRUNKLINE_SERVICE_HOST: '10.0.0.1',
      TRUNKLINE_SERVICE_PORT: '8080',
      TRUNKLINE_SERVICE_PORT_HTTP: '8080',
      TRUNKLINE_PORT: 'tcp://10.0.0.1:8080',
      TRUNKLINE_PORT_8080_TCP: 'tcp://10.0.0.1:8080',
      TRUNKLINE_PORT_8080_TCP_PROTO: 'tcp',
      TRUNKLINE_PORT_8080_TCP_PORT: '8080',
      TRUNKLINE_PORT_8080_TCP_ADDR: '10.0.0.1',
    };
    expect(readConfig(kubernetes)).toEqual(readConfig({}));
  });
});
