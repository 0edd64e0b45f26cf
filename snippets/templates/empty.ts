print('Hello from Riftnet');
