/**
 * The entity API of the landscape's set `Orders` as SAP's OData generator would write it for the Cloud SDK: entity,
 * schema and request builder. What is asked with it is for the tests.
 */
import {
  CreateRequestBuilder,
  type DefaultDeSerializers,
  DeleteRequestBuilder,
  defaultDeSerializers,
  EdmTypeField,
  Entity,
  type EntityApi,
  type EntityBuilderType,
  entityBuilder,
  GetAllRequestBuilder,
  GetByKeyRequestBuilder,
  ODataBatchRequestBuilder,
  RequestBuilder,
  UpdateRequestBuilder,
} from '@sap-cloud-sdk/odata-v2';

export const servicePath = '/gw/odata/SAP/ORDERS;v=1';

export class Order extends Entity {
  static override _entityName = 'Orders';
  static override _defaultBasePath = servicePath;
  static _keys = ['OrderID'];
  declare orderId: string;
  declare note: string | null;
}

class OrderRequestBuilder extends RequestBuilder<Order, DefaultDeSerializers> {
  getByKey = (orderId: string) => new GetByKeyRequestBuilder<Order>(this.entityApi, { OrderID: orderId });
  getAll = () => new GetAllRequestBuilder<Order>(this.entityApi);
  create = (order: Order) => new CreateRequestBuilder<Order>(this.entityApi, order);
  update = (order: Order) => new UpdateRequestBuilder<Order>(this.entityApi, order);
  delete = (orderId: string) => new DeleteRequestBuilder<Order>(this.entityApi, { OrderID: orderId });
}

interface OrderApi extends EntityApi<Order, DefaultDeSerializers> {
  requestBuilder(): OrderRequestBuilder;
}

const field = <Nullable extends boolean>(name: string, isNullable: Nullable) =>
  new EdmTypeField(name, Order, 'Edm.String', defaultDeSerializers, { isNullable, isSelectable: true });

export const orders: OrderApi = {
  deSerializers: defaultDeSerializers,
  entityConstructor: Order,
  schema: { ORDER_ID: field('OrderID', false), NOTE: field('Note', true) },
  requestBuilder: () => new OrderRequestBuilder(orders),
  entityBuilder: () =>
    entityBuilder<Order, DefaultDeSerializers>(orders) as EntityBuilderType<Order, DefaultDeSerializers>,
  customField: () => {
    throw new Error('not needed');
  },
};

/** Queries and changesets in one request. */
export const batch = (...requests: ConstructorParameters<typeof ODataBatchRequestBuilder<DefaultDeSerializers>>[1]) =>
  new ODataBatchRequestBuilder<DefaultDeSerializers>(servicePath, requests);
