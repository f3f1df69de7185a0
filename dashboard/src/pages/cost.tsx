/** The bill of a month, and what the same usage would have cost when paid by duration. */
import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import { call, toPath } from '../api/client.ts';
import type { Cost } from '../api/watching.ts';
import { useLoad } from '../ui/load.ts';
import { Card, LoadedView, Table } from '../ui/parts.tsx';

export function CostView({ account }: { account: string }): JSX.Element {
  const [month, setMonth] = useState(() => new Date().toISOString().slice(0, 7));
  const path = toPath`/accounts/${account}/isola/cost?month=${month}`;
  const cost = useLoad(path, (signal) => call<Cost>(path, { signal }));
  return (
    <Card
      title="Cost"
      actions={
        <label>
          Month
          <input
            value={month}
            pattern="\d{4}-\d{2}"
            inputMode="numeric"
            size={8}
            onChange={({ currentTarget }) => setMonth(currentTarget.value)}
          />
        </label>
      }
    >
      <LoadedView of={cost}>{(found) => <Bill cost={found} />}</LoadedView>
    </Card>
  );
}

function Bill({ cost }: { cost: Cost }): JSX.Element {
  const { plan, plan_title, currency = '', lines, total, compare, formula } = cost;
  return (
    <>
      <p>
        Plan <strong>{plan_title ?? plan}</strong>, so far{' '}
        <strong>
          {total} {currency}
        </strong>
      </p>
      <Table
        label="Lines of the bill"
        numbers={4}
        head={['Item', 'Quantity', 'Included', 'Price', `Amount, ${currency}`]}
      >
        {lines.map(({ item, unit, quantity, included, unit_price, per, amount }) => (
          <tr key={item}>
            <th scope="row">{item}</th>
            <td class="number">
              {quantity} {unit}
            </td>
            <td class="number">{included}</td>
            <td class="number">
              {unit_price}
              {per !== undefined && per !== 1 && ` per ${per.toLocaleString('en-US')}`}
            </td>
            <td class="number">{amount}</td>
          </tr>
        ))}
      </Table>
      <h3>What would it have cost?</h3>
      <Table label="What it would have cost" head={['Plan', 'Total', 'How it is computed']}>
        {[{ plan, plan_title, currency, total, formula, isOurs: true }, ...compare].map((one) => (
          <tr key={one.plan}>
            <th scope="row">
              {one.plan_title ?? one.plan}
              {'isOurs' in one && ' (this one)'}
            </th>
            <td class="number">
              {one.total} {one.currency}
            </td>
            <td class="text">
              <code>{one.formula}</code>
            </td>
          </tr>
        ))}
      </Table>
    </>
  );
}
