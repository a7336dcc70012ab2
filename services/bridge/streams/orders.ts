import { defineStream, type } from './define.ts'

const LARGEST_ID = Number.MAX_SAFE_INTEGER

export const orders = defineStream({
  name: 'orders',
  topic: 'new_orders',
  schema: type({
    order_id: `0 <= number.integer <= ${LARGEST_ID}`,
    order_amount: '1 <= number.integer <= 1000000000000',
    order_total_price: '0 <= number.integer <= 1000000000000',
    is_paid: 'boolean',
  }),
  labels: {
    payment: {
      values: ['prepaid', 'credit'],
      of: (order) => (order.is_paid ? 'prepaid' : 'credit'),
    },
  },
  measures: [
    {
      name: 'shop_orders_total',
      help: 'Orders placed.',
      unit: 'records',
      labels: ['payment'],
      value: () => 1,
    },
    {
      name: 'shop_ordered_units_total',
      help: 'Units ordered.',
      unit: 'pieces',
      labels: ['payment'],
      value: (order) => order.order_amount,
    },
    {
      name: 'shop_order_value_total',
      help: 'Total price of the orders, in the unit in which the shop writes prices.',
      unit: 'minor units',
      labels: ['payment'],
      value: (order) => order.order_total_price,
    },
  ],
  columns: [
    { name: 'total_orders_num', measure: 'shop_orders_total' },
    { name: 'total_orders_amount', measure: 'shop_ordered_units_total' },
    { name: 'total_orders_price', measure: 'shop_order_value_total' },
    {
      name: 'total_paid_orders_num',
      measure: 'shop_orders_total',
      where: { payment: 'prepaid' },
    },
    {
      name: 'total_paid_orders_amount',
      measure: 'shop_ordered_units_total',
      where: { payment: 'prepaid' },
    },
    {
      // The capital T is the published format.
      name: 'Total_paid_orders_price',
      measure: 'shop_order_value_total',
      where: { payment: 'prepaid' },
    },
  ],
})
