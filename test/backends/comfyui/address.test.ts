/** Addresses of backends (reliability.md row 23). */
import { describe, expect, it } from 'vitest';
import { isLinkLocal, parseAddress } from '#backends/comfyui/address.ts';
import { createComfyUIBackend } from '#backends/comfyui/backend.ts';

describe('[S23] the address of a backend', () => {
  it.each([
    ['http://127.0.0.1:8188', { label: 'http://127.0.0.1:8188', secure: false, hostname: '127.0.0.1', port: 8188, base: '' }],
    ['http://127.0.0.1:8188/', { label: 'http://127.0.0.1:8188', secure: false, hostname: '127.0.0.1', port: 8188, base: '' }],
    [
      'https://render.studio/comfy/',
      { label: 'https://render.studio/comfy', secure: true, hostname: 'render.studio', port: 443, base: '/comfy' },
    ],
    ['http://[::1]:8000', { label: 'http://[::1]:8000', secure: false, hostname: '::1', port: 8000, base: '' }],
  ])('reads %s', (url, expected) => {
    expect(parseAddress(url)).toEqual(expected);
  });

  it.each([
    'ftp://host/',
    'file:///etc/passwd',
    'gopher://127.0.0.1',
    'ws://127.0.0.1:8188',
    'http://user:pass@127.0.0.1:8188',
    'http://127.0.0.1:8188/?token=1',
    'http://127.0.0.1:8188/#x',
    'http://169.254.169.254/latest',
    'http://[fe80::1]:8188',
    'http://[::ffff:a9fe:a9fe]/',
    'http://2852039166/',
    '127.0.0.1:8188',
    '',
  ])('refuses %j with a cure', (url) => {
    expect(() => createComfyUIBackend({ id: 'x', url })).toThrow(/^The backend address .* cannot be used: /);
  });

  it('never repeats a password in its refusal', () => {
    expect(() => parseAddress('http://user:secret@host')).toThrow(/^((?!secret).)*$/);
  });

  it.each([
    ['169.254.169.254', true],
    ['::ffff:169.254.1.1', true],
    ['fe80::1', true],
    ['febf::1', true],
    ['127.0.0.1', false],
    ['192.168.1.5', false],
    ['::1', false],
  ])('knows whether %s is link-local', (ip, expected) => {
    expect(isLinkLocal(ip)).toBe(expected);
  });
});
