import { describe, expect, it } from 'vitest';
import { type FieldSchema, initialFields, toWire } from '../../dashboard/templates/values.ts';

const field = (type: string, more: FieldSchema = {}, of?: string): FieldSchema => ({
  ...more,
  'x-callsheet': { type, widget: 'line', order: 0, required: false, ...(of === undefined ? {} : { of }) },
});
const wire = (schema: FieldSchema, value: Parameters<typeof toWire>[1][string]): unknown => toWire({ one: schema }, { one: value })['one'];

describe('the values of a form', () => {
  it('begin with the defaults, and come back as they were', () => {
    const schemas = {
      text: field('text', { default: 'a\nb' }),
      count: field('integer', { default: 7 }),
      part: field('number', { default: 0.35 }),
      on: field('boolean', { default: true }),
      looks: field('list', { default: ['x', 'y'] }, 'text'),
      sizes: field('list', { default: [1, 2] }, 'integer'),
      place: field('vector', { default: [1, 2.5, 3], minItems: 3 }),
      kind: field('choice', { enum: [1, 2], default: 2 }),
    };
    expect(toWire(schemas, initialFields(schemas))).toEqual({
      text: 'a\nb',
      count: 7,
      part: 0.35,
      on: true,
      looks: ['x', 'y'],
      sizes: [1, 2],
      place: [1, 2.5, 3],
      kind: 2,
    });
  });

  it('keep every digit of a seed', () => {
    expect(wire(field('seed'), '18446744073709551615')).toBe('18446744073709551615');
    expect(wire(field('seed'), '9007199254740991')).toBe(9_007_199_254_740_991);
    expect(initialFields({ seed: field('seed') }, { seed: '18446744073709551615' })).toEqual({ seed: '18446744073709551615' });
  });

  it('leave to the daemon what is empty, and are null where null is a value', () => {
    expect(wire(field('seed'), '')).toBeUndefined();
    expect(wire(field('image'), '')).toBeUndefined();
    expect(wire(field('image', { type: ['string', 'null'] }), '')).toBeNull();
    expect(wire(field('choice', { enum: ['a', null] }), '')).toBeNull();
  });

  it('send what is no number as it was typed, so that the daemon says what is wrong', () => {
    expect(wire(field('integer'), '12 px')).toBe('12 px');
    expect(wire(field('number'), 'NaN')).toBe('NaN');
  });

  it('leave hidden fields out', () => {
    const hidden: FieldSchema = { 'x-callsheet': { type: 'string', widget: 'line', order: 0, required: false, hidden: true } };
    expect(toWire({ one: hidden }, { one: 'typed before' })).toEqual({});
  });

  it('take up the files of an earlier run: uploads by their content, others by their path', () => {
    const sha256 = 'ab'.repeat(32);
    const given = {
      photo: { $media: 'media', path: `/data/assets/${sha256}.png`, sha256 },
      other: { $media: 'media', path: '/film/shot.png', sha256 },
    };
    expect(initialFields({ photo: field('image'), other: field('image') }, given)).toEqual({
      photo: `asset:${sha256}`,
      other: '/film/shot.png',
    });
  });
});
