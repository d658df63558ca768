import assert from 'node:assert/strict'
import test from 'node:test'
import { bypassesProxy } from './no-proxy.ts'

const cases: readonly (readonly [url: string, list: string, bypasses: boolean])[] = [
  ['http://a.example.com', 'example.com', true],
  ['http://a.example.com', '.example.com', true],
  ['http://badexample.com', 'example.com', false],
  ['http://example.com:8080', 'example.com:8080', true],
  ['http://example.com', 'example.com:8080', false],
  ['https://example.com', 'other, example.com:443', true],
  ['http://[::1]/', '::1', true],
  ['http://[::1]:3000/', '[::1]:3000', true],
  ['http://[::1]:3000/', '[::1]:4000', false],
  ['http://[fe80::1:22]/', 'fe80::1:22', true],
  ['http://cafe:3128/', 'cafe:3128', true],
  ['http://anything/', '*', true],
  ['http://anything/', '', false],
]
for (const [url, list, bypasses] of cases)
  test(`${url} with "${list}"`, () => assert.equal(bypassesProxy(new URL(url), list), bypasses))
