import { h, render } from 'preact';

const Basket = ({ items }) => (
  <section>
    <h1>Basket</h1>
    {items.length === 0 ? <p>Your basket is empty.</p> : items.map((item) => <p>{item}</p>)}
    <a href={API}>api</a>
  </section>
);

render(<Basket items={[]} />, document.body);
